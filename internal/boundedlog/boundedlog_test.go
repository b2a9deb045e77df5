package boundedlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/internal/boundedlog"
)

// lines counts a log's lines by message.
func lines(t *testing.T, log []byte) map[string]int {
	t.Helper()
	n := make(map[string]int)
	for line := range bytes.Lines(log) {
		var l struct{ Msg string }
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		n[l.Msg]++
	}
	return n
}

// A buffer may be written to while the test reads.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// take returns what was written since it was called before.
func (b *buffer) take() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return bytes.Clone(b.b.Bytes())
}

func TestOneAddressHasARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		dropped := make(map[string]int)
		h := boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{
			PerSecond: 2, Burst: 5, Suppressed: func(m string) { dropped[m]++ },
		})
		log := slog.New(h)
		for range 1000 {
			log.Info("refused", "remote", "192.0.2.1:4711")
		}
		log.Info("refused", "remote", "192.0.2.2:4711") // another
		log.Info("closed", "remote", "192.0.2.1:4712")  // of another kind
		log.Info("draining")
		if d := cmp.Diff(map[string]int{"refused": 6, "closed": 1, "draining": 1}, lines(t, out.take())); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		time.Sleep(10*time.Second + 1)
		synctest.Wait()
		got := out.take()
		if want := `"message":"refused","lines":995,"last_from":"192.0.2.1"`; !strings.Contains(string(got), want) {
			t.Errorf("no summary with %s in\n%s", want, got)
		}
		if d := cmp.Diff(map[string]int{"refused": 995}, dropped); d != "" {
			t.Errorf("counted (-want +got)\n%s", d)
		}
		for range 9 { // the bucket is full again
			log.With("remote", "192.0.2.1").Info("refused")
		}
		h.Flush()
		if d := cmp.Diff(map[string]int{"refused": 5, "log lines suppressed": 1}, lines(t, out.take())); d != "" {
			t.Errorf("ten seconds later (-want +got)\n%s", d)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := out.take(); len(got) > 0 {
			t.Errorf("a summary of nothing: %s", got)
		}
	})
}

// One that has a /48 has 65,536 addresses to log by, and more; memory is
// bounded, too.
func TestManyAddressesHaveARateTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{PerSecond: 2, Burst: 5}))
		for i := range 50_000 {
			log.Info("refused", "remote", fmt.Sprintf("[2001:db8:0:%x::%x]:80", i/2, i))
		}
		log.Info("draining")
		if d := cmp.Diff(map[string]int{"refused": 5 * boundedlog.Together, "draining": 1}, lines(t, out.Bytes())); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

func TestAHouseholdIsOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{PerSecond: 1, Burst: 3}))
		for i := range 100 {
			log.Info("a", "remote", fmt.Sprintf("2001:db8::%x", i))
			log.Info("b", "remote", fmt.Sprintf("[::ffff:192.0.2.1]:%d", i))
		}
		if d := cmp.Diff(map[string]int{"a": 3, "b": 3}, lines(t, out.Bytes())); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

func TestTextIsBoundedAndPrints(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"plain", "Grüße, 世界", "Grüße, 世界"},
		{"long", strings.Repeat("x", 1000), "xxxxxxxxxxxxxxxx… (1000 bytes)"},
		{"cut between characters", strings.Repeat("世", 10), "世世世世世… (30 bytes)"},
		{"a line end", "a\nlevel=ERROR", `a\nlevel=ERROR`},
		{"colours", "\x1b[31m", `\x1b[31m`},
		{"direction", "a\u202eb", `a\u202eb`},
		{"without width", "a\u200bb", `a\u200bb`},
		{"a line separator", "a\u2028b", `a\u2028b`},
		{"not UTF-8", "a\xffb", `a\xffb`},
		{"U+FFFD itself", "a\ufffdb", "a\ufffdb"},
		{"an error", errors.New("a\x00b"), `a\x00b`},
		{"bytes", []byte("a\rb"), `a\rb`},
		{"in a group", slog.GroupValue(slog.String("x", "\x07")), `map[x:\a]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{MaxText: 16}))
			log.Info("m", "v", c.value)
			log.With("v", c.value).Info("m")
			for line := range bytes.Lines(out.Bytes()) {
				var l struct{ V any }
				if err := json.Unmarshal(line, &l); err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(l.V); got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
			}
		})
	}
}

// A stack of the program's own is worth its lines, but not for ever.
func TestErrorsHaveStacks(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{MaxText: 16}))
	log.Error("panic", "stack", "goroutine 1:\n\tmain.go:1\n"+strings.Repeat("x", 2000))
	if got := out.String(); !strings.Contains(got, `goroutine 1:\n\tmain.go:1\n`) || len(got) > 700 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestLongLinesCountForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{PerSecond: 1, Burst: 10, MaxText: 16 << 10}))
		for range 100 {
			log.Info("long", "remote", "192.0.2.1", "err", strings.Repeat("x", 4<<10))
		}
		if n := lines(t, out.Bytes())["long"]; n != 2 {
			t.Errorf("%d lines of 4 KiB with a burst of 10, want 2", n)
		}
	})
}

func TestErrorLogOfHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{PerSecond: 1, Burst: 3}))
		e := boundedlog.ErrorLog(log, slog.LevelWarn)
		for port := range 1000 {
			e.Printf("http: TLS handshake error from 192.0.2.1:%d: remote error: \x1b[2J%d", port, port)
			e.Printf("http: superfluous response.WriteHeader call from main.f (f.go:%d)", port)
		}
		e.Printf("http: panic serving [2001:db8::1]:80: oops\ngoroutine 1")
		want := map[string]int{"http: TLS handshake error from": 3, "net/http": 3, "http: panic serving": 1}
		if d := cmp.Diff(want, lines(t, out.Bytes())); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if strings.Contains(out.String(), `\u001b`) || !strings.Contains(out.String(), `"remote":"[2001:db8::1]:80"`) {
			t.Error(out.String())
		}
	})
}

func TestNoLimit(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{PerSecond: -1}))
	for range 5000 {
		log.Info("m", "remote", "192.0.2.1")
	}
	if n := lines(t, out.Bytes())["m"]; n != 5000 {
		t.Errorf("%d lines", n)
	}
}

func BenchmarkSuppressed(b *testing.B) {
	var out bytes.Buffer
	log := slog.New(boundedlog.New(slog.NewJSONHandler(&out, nil), boundedlog.Options{PerSecond: 1, Burst: 1}))
	b.ReportAllocs()
	for b.Loop() {
		log.Info("refused", "remote", "192.0.2.1:4711", "err", "no")
	}
}
