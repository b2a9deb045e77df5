package wsnet

import (
	"time"

	"framewright/ws"
)

// A clock counts nanoseconds since began, which is long before anything else, also before
// the year 2000, in which the fake time of testing/synctest begins: so every moment is
// above 0.
var began = time.Now().Add(-50 * 365 * 24 * time.Hour)

func now() ws.Moment { return ws.Moment(time.Since(began)) }

// timeOf is m as the time package has it; no time at all for 0.
func timeOf(m ws.Moment) time.Time {
	if m == 0 {
		return time.Time{}
	}
	return began.Add(time.Duration(m))
}
