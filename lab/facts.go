package lab

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// goodSecret is 128 bits or more, in hexadecimal.
var goodSecret = regexp.MustCompile(`^[0-9a-f]{32,64}$`)

// heartbeat is how often a stream says that it is there, so that no proxy ends it.
const heartbeat = 15 * time.Second

// writeTime is how long a page may take to accept a part of the stream.
const writeTime = 10 * time.Second

// facts is the stream of a page's facts, as Server-Sent Events: the number of each is its
// id, so that a page that comes back goes on behind the last that it has.
func (l *Lab) facts(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("secret")
	if !goodSecret.MatchString(secret) {
		http.Error(w, "secret: want 32 to 64 hexadecimal digits, lower case, that the page has made itself", http.StatusBadRequest)
		return
	}
	watch, err := l.recorder.open(secret, l.o.Address(r))
	if err != nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer l.recorder.close(watch)
	seq, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		control.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil
	}
	if !send("retry: 1000\n: watching\n\n") {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		facts, missed, more := watch.after(seq)
		if missed > 0 && !send("data: {\"kind\":\"gap\",\"gap\":%d}\n\n", missed) {
			return
		}
		seq += uint64(missed)
		for _, f := range facts {
			if seq++; !send("id: %d\ndata: %s\n\n", seq, f) {
				return
			}
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-more:
		case <-beat.C:
			if !send(": still there\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		case <-l.ending:
			return
		}
	}
}
