package boundedlog

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"regexp"
)

// ErrorLog returns what an http.Server's ErrorLog takes. net/http writes the
// peer's address into the text, and now and then the peer's own words; here the
// kind of event is the message, and the address is the attribute that the bounds
// go by.
func ErrorLog(l *slog.Logger, level slog.Level) *log.Logger {
	return log.New(&errorLog{l, level}, "", 0)
}

type errorLog struct {
	log   *slog.Logger
	level slog.Level
}

// eventOf takes a line of net/http apart, such as
//
//	http: TLS handshake error from 192.0.2.1:4711: EOF
//	http: panic serving 192.0.2.1:4711: runtime error: …
//	http: superfluous response.WriteHeader call from main.f (f.go:1)
var eventOf = regexp.MustCompile(`^(http2?: (?:TLS handshake error from|panic serving)) (\S+): (?s:(.*))$`)

// Write implements [io.Writer] for a [log.Logger], which gives one line at a
// time.
func (e *errorLog) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	ctx := context.Background()
	if m := eventOf.FindSubmatch(text); m != nil {
		e.log.Log(ctx, e.level, string(m[1]), AddressKey, string(m[2]), "err", string(m[3]))
		return len(line), nil
	}
	// The text is not the message, or each could be a kind of its own.
	e.log.Log(ctx, e.level, "net/http", "err", string(text))
	return len(line), nil
}
