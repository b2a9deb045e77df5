// Package boundedlog keeps a log within bounds, whoever causes its lines.
//
// A server logs what strangers do, and a stranger can do it a million times. So
// lines of one kind (those with one message) from one address have a rate, and
// so have those of one kind from all addresses together. What goes past it is
// counted and summed up in a line now and then. What strangers have written
// stands in a line clipped, and with everything escaped that does not print.
package boundedlog

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"framewright/internal/tokens"
)

// Options of a [Handler]. The zero value is safe: a field that is 0 has its
// default.
type Options struct {
	// PerSecond and Burst are the rate of lines of one kind from one address: 20
	// and 200 by default. All addresses together have [Together] times that. A
	// PerSecond below 0 is no limit.
	PerSecond float64
	Burst     int

	// MaxText is how many bytes of an attribute's value are logged: 512 by
	// default, and 32 times that in lines of level Error, which have stacks.
	MaxText int

	// Every is the time between two summaries of what was suppressed: 10 s by
	// default.
	Every time.Duration

	// Address is what counts as one address, given the value of the attribute
	// [AddressKey]. nil takes the IP address without its port, of IPv6 the /64
	// that a household has.
	Address func(remote string) string

	// Suppressed, if not nil, is told of every line that is left out, by its
	// message, of which there are at most [MaxKinds] and "other".
	Suppressed func(message string)
}

const (
	// AddressKey is the attribute that says whose doing a line is. Lines without
	// it are the program's own: they have the rate of one address, and no part
	// in what all addresses have together.
	AddressKey = "remote"

	// Together is how many times one address' rate all addresses have.
	Together = 10

	// MaxKinds is how many messages are told apart in what is summed up.
	MaxKinds = 64

	maxBuckets = 8192 // of one kind and one address
)

// Handler is a [slog.Handler] that passes on to another what is within bounds.
type Handler struct {
	next    slog.Handler
	address string // of the AddressKey that WithAttrs has seen
	grouped bool
	*shared
}

// shared is what a handler has in common with those made of it.
type shared struct {
	o    Options
	root slog.Handler

	mu      sync.Mutex
	buckets map[kind]tokens.Bucket
	left    map[string]*leftOut // by message
	timer   *time.Timer         // of the next summary; nil if there is nothing to say
}

// A kind of lines: those with one message from one address. Those from all
// addresses together are under the address "*".
type kind struct{ message, address string }

// leftOut are the lines with one message that were suppressed since the last
// summary.
type leftOut struct {
	lines int
	last  string // an address that they came from
}

// New returns a handler that passes on to next.
func New(next slog.Handler, o Options) *Handler {
	if o.PerSecond == 0 {
		o.PerSecond, o.Burst = 20, 200
	}
	o.Burst = max(o.Burst, 1)
	if o.MaxText <= 0 {
		o.MaxText = 512
	}
	if o.Every <= 0 {
		o.Every = 10 * time.Second
	}
	if o.Address == nil {
		o.Address = household
	}
	return &Handler{next: next, shared: &shared{o: o, root: next, buckets: make(map[kind]tokens.Bucket), left: make(map[string]*leftOut)}}
}

// Enabled implements [slog.Handler].
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithGroup implements [slog.Handler].
func (h *Handler) WithGroup(name string) slog.Handler {
	c := *h
	c.next, c.grouped = h.next.WithGroup(name), true
	return &c
}

// WithAttrs implements [slog.Handler].
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	bounded := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		if a.Key == AddressKey && !h.grouped {
			c.address = h.o.Address(clip(a.Value.String(), maxAddress))
		}
		bounded[i] = boundedAttr(a, h.o.MaxText, false)
	}
	c.next = h.next.WithAttrs(bounded)
	return &c
}

// Handle implements [slog.Handler].
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	address := h.address
	size := len(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == AddressKey && !h.grouped {
			address = h.o.Address(clip(a.Value.String(), maxAddress))
		}
		if k := a.Value.Kind(); k == slog.KindString || k == slog.KindAny {
			size += len(textOf(a.Value.Any()))
		}
		return true
	})
	text, stack := h.o.MaxText, r.Level >= slog.LevelError
	if stack {
		text *= 32
	}
	message := printable(clip(r.Message, text), stack)
	if !h.take(message, address, 1+float64(min(size, text)/1024), time.Now()) {
		return nil
	}
	b := slog.NewRecord(r.Time, r.Level, message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		b.AddAttrs(boundedAttr(a, text, stack))
		return true
	})
	return h.next.Handle(ctx, b)
}

// maxAddress is longer than an IP address with a port and a zone.
const maxAddress = 64

// take reports whether a line is within bounds, and counts it if not.
func (s *shared) take(message, address string, cost float64, now time.Time) bool {
	if s.o.PerSecond < 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := s.spend(kind{message, address}, cost, 1, now) && (address == "" || s.spend(kind{message, "*"}, cost, Together, now))
	if !ok {
		s.leave(message, address)
	}
	return ok
}

func (s *shared) spend(k kind, cost, times float64, now time.Time) bool {
	b, known := s.buckets[k]
	if !known && len(s.buckets) >= maxBuckets {
		// Whoever has so many addresses gains nothing by being forgotten, as
		// there is still what all have together.
		for old := range s.buckets {
			if old.address != "*" {
				delete(s.buckets, old)
				break
			}
		}
	}
	_, ok := b.Take(tokens.Rate{PerSecond: s.o.PerSecond * times, Burst: float64(s.o.Burst) * times}, cost, now)
	s.buckets[k] = b
	return ok
}

// leave counts a line that is left out. The caller holds mu.
func (s *shared) leave(message, address string) {
	if _, known := s.left[message]; !known && len(s.left) >= MaxKinds {
		message = "other"
	}
	l := s.left[message]
	if l == nil {
		l = new(leftOut)
		s.left[message] = l
	}
	l.lines++
	l.last = address
	if s.o.Suppressed != nil {
		s.o.Suppressed(message)
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(s.o.Every, s.Flush)
	}
}

// Flush logs now what was suppressed since the last summary: one line for each
// message. A program calls it when it ends.
func (s *shared) Flush() {
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	left := s.left
	s.left = make(map[string]*leftOut, len(left))
	s.mu.Unlock()
	log := slog.New(s.root)
	for message, l := range left {
		args := []any{"message", message, "lines", l.lines}
		if l.last != "" {
			args = append(args, "last_from", l.last)
		}
		log.Warn("log lines suppressed", args...)
	}
}

// household is an IP address as one counts it: without a port, and of IPv6 the
// /64.
func household(remote string) string {
	a, err := netip.ParseAddr(remote)
	if err != nil {
		p, err := netip.ParseAddrPort(remote)
		if err != nil {
			return remote
		}
		a = p.Addr()
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// boundedAttr is a with no more text than limit in each value, all of which
// prints.
func boundedAttr(a slog.Attr, limit int, lines bool) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(printable(clip(v.String(), limit), lines))
	case slog.KindAny:
		a.Value = slog.StringValue(printable(clip(textOf(v.Any()), limit), lines))
	case slog.KindGroup:
		group := v.Group()
		bounded := make([]slog.Attr, len(group))
		for i, one := range group {
			bounded[i] = boundedAttr(one, limit, lines)
		}
		a.Value = slog.GroupValue(bounded...)
	default:
		a.Value = v
	}
	return a
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case error:
		return v.Error()
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}

// clip cuts s between two characters, and says how long it was.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > limit-utf8.UTFMax && cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// printable escapes what does not print, or makes what stands beside it read
// otherwise: control characters, those of direction, those without width, and
// bytes that are not UTF-8. With lines, ends of lines and tabs stay.
func printable(s string, lines bool) string {
	good := func(r rune) bool { return strconv.IsPrint(r) || lines && (r == '\n' || r == '\t') }
	bad := strings.IndexFunc(s, func(r rune) bool { return !good(r) || r == utf8.RuneError })
	if bad < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)+32), s[:bad]...)
	for rest := s[bad:]; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, `\x`...)
			b = append(b, "0123456789abcdef"[rest[0]>>4], "0123456789abcdef"[rest[0]&15])
		case good(r):
			b = append(b, rest[:n]...)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		rest = rest[n:]
	}
	return string(b)
}
