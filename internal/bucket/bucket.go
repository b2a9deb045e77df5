// Package bucket is the arithmetic of token buckets, by which everything here is held
// against a rate. It has no clock and no lock: package ws uses it as it is, and
// internal/tokens for those who have the time.
package bucket

// A Bucket begins full. It is not for several goroutines at once.
type Bucket struct {
	missing float64 // tokens, from a full bucket, at the time at
	at      int64
}

// Left returns how many tokens are there at the time now, in nanoseconds on any clock,
// if perSecond come in until there are burst; below 0 if more were spent than there
// were. A clock that goes back brings none.
func (b *Bucket) Left(perSecond, burst float64, now int64) float64 {
	came := float64(max(0, now-b.at)) / 1e9 * perSecond
	b.missing, b.at = max(0, b.missing-came), now
	return burst - b.missing
}

// Spend takes n tokens, at the time of the last Left, whether they are there or not.
func (b *Bucket) Spend(n float64) { b.missing += n }
