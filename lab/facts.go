package lab

import (
	"cmp"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// goodSecret is 128 bits or more, in hexadecimal.
var goodSecret = regexp.MustCompile(`^[0-9a-f]{32,64}$`)

const badSecret = "secret: want 32 to 64 hexadecimal digits, lower case, that the page has made itself"

// heartbeat is how often a stream says that it is there, so that no proxy ends it.
const heartbeat = 15 * time.Second

// facts is the stream of a page's facts, as Server-Sent Events. The id of each says when the
// watch began and its number in it, so that a page that comes back goes on behind the last
// that it has, and after a restart of the server has everything. A browser that has lost
// the stream says the last id in a header, a page that has ended it, as the parameter
// "after".
func (l *Lab) facts(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("secret")
	if !goodSecret.MatchString(secret) {
		http.Error(w, badSecret, http.StatusBadRequest)
		return
	}
	watch, err := l.recorder.open(secret, l.o.Address(r))
	if err != nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer l.recorder.close(watch)
	began := strconv.FormatInt(watch.began.UnixNano(), 36) + "-"
	last, _ := strings.CutPrefix(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")), began)
	seq, _ := strconv.ParseUint(last, 10, 64) // of another watch it is no number
	out := newStream(w)
	if !out.write("retry: 1000\n: watching\n\n") {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for over := false; ; {
		facts, missed, more := watch.after(seq)
		if missed > 0 && !out.write("data: {\"kind\":\"gap\",\"gap\":%d}\n\n", missed) {
			return
		}
		seq += uint64(missed)
		for _, f := range facts {
			if seq++; !out.write("id: %s%d\ndata: %s\n\n", began, seq, f) {
				return
			}
		}
		if !out.flush() || over {
			return
		}
		select {
		case <-more:
		case <-beat.C:
			if !out.write(": still there\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		case <-watch.over:
			return
		case <-l.ending:
			over = true // once what is there has been said
		}
	}
}

// leave is what a page says when it is left: what is remembered of it is freed at once. One
// that cannot say so is forgotten after a while, or when there is need of its place.
func (l *Lab) leave(w http.ResponseWriter, r *http.Request) {
	l.recorder.leave(r.URL.Query().Get("secret"))
	w.WriteHeader(http.StatusNoContent)
}
