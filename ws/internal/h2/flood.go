package h2

import "golang.org/x/net/http2"

// Frames that cost this end something and bring it nothing are counted against a rate:
// PING, SETTINGS, RST_STREAM, PRIORITY and what nobody knows, DATA without data, streams
// that are malformed or one too many, frames for streams that are over, and
// WINDOW_UPDATEs beyond those that what was sent accounts for. "The misuse of these
// mechanisms can cause resources to be spent unnecessarily" (§10.5). A browser that
// leaves a page resets all of its streams at once, which is some hundreds.
const (
	calmRate  = 100  // a second
	calmBurst = 1000 // at once

	// updatesPerFrame is how many WINDOW_UPDATEs a DATA frame may cause: one for its
	// stream, one for the connection, each in two steps.
	updatesPerFrame = 4
)

// charge counts n frames at the time now, in nanoseconds on any clock.
func (e *Endpoint) charge(n int, now int64) error {
	left := e.calm.Left(calmRate, calmBurst, now)
	e.calm.Spend(float64(n))
	if left < float64(n) {
		return e.fail(connError(http2.ErrCodeEnhanceYourCalm, "§10.5", "too many frames that bring nothing"))
	}
	return nil
}

// chargeUpdate counts a WINDOW_UPDATE.
func (e *Endpoint) chargeUpdate(now int64) error {
	if e.earned > 0 {
		e.earned--
		return nil
	}
	return e.charge(1, now)
}
