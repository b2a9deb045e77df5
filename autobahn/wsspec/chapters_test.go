package wsspec

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

var update = flag.Bool("update", false, "write testdata anew")

// bySection are the chapters whose ids begin with a section.
func bySection() []*Case {
	var cases []*Case
	for _, c := range Cases() {
		if c.Chapter == "framing" || c.Chapter == "handshake" || c.Chapter == "segmentation" || c.Chapter == "utf8" || c.Chapter == "robustness" {
			cases = append(cases, c)
		}
	}
	return cases
}

// inParallel plays cases a few at a time.
func inParallel(cases []*Case, play func(*Case)) {
	var wg sync.WaitGroup
	gate := make(chan struct{}, 8)
	for _, c := range cases {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			play(c)
		})
	}
	wg.Wait()
}

// The chapters' cases have what a report needs, and ids of their own.
func TestChaptersAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range bySection() {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		section, word, _ := strings.Cut(c.ID, "/")
		if !strings.HasSuffix(c.Section, "§"+section) || word == "" || strings.ContainsAny(word, "/ _") || c.Title == "" || c.Play == nil || c.Roles == 0 {
			t.Errorf("%+v", c)
		}
		if c.Clause == "" || strings.HasPrefix(c.Clause, `"`) {
			t.Errorf("%s: the clause is not the RFC's words, without quotation marks around them: %s", c.ID, c.Clause)
		}
		if (c.Level == Must || c.Level == Should || c.Level == Info) == false || c.Level != Must && c.Why == "" {
			t.Errorf("%s: level %q, why %q", c.ID, c.Level, c.Why)
		}
	}
}

// ourServers are our server's two forms.
func ourServers(t *testing.T) map[string]string {
	srv := wsnet.Handler(echo)
	srv.Logger = slog.New(slog.DiscardHandler)
	s := httptest.NewUnstartedServer(srv)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(func() { s.Close(); srv.Shutdown(context.Background()) })
	own := wsnet.Handler(echo)
	own.Logger = srv.Logger
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); own.Serve(l) }()
	t.Cleanup(func() { l.Close(); own.Shutdown(context.Background()); <-done })
	return map[string]string{"net/http": "ws" + strings.TrimPrefix(s.URL, "http"), "Serve": "ws://" + l.Addr().String()}
}

// Our own implementation keeps all of it.
func TestChaptersOwnServer(t *testing.T) {
	wstest.CheckLeaks(t)
	for name, url := range ourServers(t) {
		t.Run(name, func(t *testing.T) {
			st, err := NewServerTest(url, Settings{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			inParallel(share(bySection()), func(c *Case) {
				if c.Roles.Has(Server) && !(name == "net/http" && c.ID == "4.2.1/empty-line-first") { // which net/http does not keep
					report(t, st.Play(t.Context(), c))
				}
			})
			t.Logf("in %v", time.Since(began))
		})
	}
}

func TestChaptersOwnClient(t *testing.T) {
	wstest.CheckLeaks(t)
	log.SetOutput(io.Discard) // net/http logs what comes behind an answer that is not 101
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	inParallel(share(bySection()), func(c *Case) {
		if c.Roles.Has(Client) {
			report(t, playClient(t, c, Settings{}, ourClient))
		}
	})
}

func ourClient(ctx context.Context, addr string) {
	conn, err := wsnet.Dial(ctx, "ws://"+addr, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	echo(ctx, conn)
}

func report(t *testing.T, r Result) {
	t.Helper()
	switch {
	case r.Outcome == Noted && r.Case.Level == Info:
		if testing.Verbose() {
			t.Logf("%s (%s): %s", r.Case.ID, r.Role, r.Actual)
		}
	case r.Outcome != Passed && r.Outcome != Skipped:
		t.Errorf("%s (%s, %s): %s\nexpected %s\nactual   %s", r.Case.ID, r.Role, r.Case.Level, r.Outcome, r.Expected, r.Actual)
	}
	if slow := time.Second; r.Took > slow && testing.Verbose() {
		t.Logf("%s (%s) took %v", r.Case.ID, r.Role, r.Took)
	}
}

// The testee that keeps every rule passes, too, so that a quirk is what fails it.
func TestStraightTestee(t *testing.T) {
	wstest.CheckLeaks(t)
	st, err := NewServerTest(crookedServer(t, ""), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	inParallel(share(bySection()), func(c *Case) {
		if c.Roles.Has(Server) {
			report(t, st.Play(t.Context(), c))
		}
		if c.Roles.Has(Client) {
			report(t, playCrookedClient(t, c, Settings{}, ""))
		}
	})
}

// What a crooked testee does is seen, and in this case among others.
func TestQuirksAreSeen(t *testing.T) {
	wstest.CheckLeaks(t)
	byID := map[string]*Case{}
	for _, c := range Cases() {
		byID[c.ID] = c
	}
	for _, tt := range []struct {
		quirk, id string
		want      Outcome
		actual    string // a part of what is said of it
	}{
		{"takes-rsv", "5.2/rsv1-text", Failed, `was answered: text "bad"`},
		{"takes-rsv", "5.2/rsv3-ping", Failed, `was answered: pong "bad"`},
		{"never-fails", "5.2/rsv1-text", Failed, "the connection does not end: nothing more came"},
		{"fails-with-1000", "5.2/rsv1-text", Weak, `close 1000 "", the end of the connection`},
		{"fails-without-close", "5.2/rsv1-text", Weak, "the end of the connection"},
		{"fails-without-close", "5.1/unmasked-text", Passed, "the end of the connection"},
		{"keeps-tcp", "5.5.1/close", Failed, "the connection does not end: close 1000"},
		{"no-close", "5.5.1/close", Failed, "the Close has no answer: the end of the connection"},
		{"close-with-1005", "5.5.1/close", Failed, "the code 1005, which no endpoint may send"},
		{"close-is-bad", "5.5.1/close", Weak, "close 1002"},
		{"goes-on-behind-close", "5.5.1/close", Failed, "data is sent behind a Close (§5.5.1)"},
		{"takes-any-close", "7.4.1/code-1005", Failed, "the code 1005, which no endpoint may send"},
		{"takes-any-close", "7.4.1/code-1004", Weak, "close 1004"},
		{"takes-any-close", "5.5.1/body-of-one-byte", Failed, "a body of one byte"},
		{"takes-any-close", "5.5.1/reason-ff", Failed, "not UTF-8"},
		{"echoes-twice", "5.4/two", Failed, `text "Hello", text "Hello"`},
		{"echoes-binary", "5.4/two", Failed, `binary "Hello"`},
		{"empty-pong", "5.5.3/ping-0-to-125", Failed, "ping of 1 bytes"},
		{"sends-rsv", "5.5.2/ping", Failed, "reserved bits without an extension"},
		{"sends-long-forms", "5.5.2/ping", Failed, "written with 64 bits"},
		{"takes-long-forms", "5.2/length-16-not-minimal-1", Weak, `text "a"`},
		{"loses-bytes", "10.4/message-of-1-mib", Failed, "the length is another: binary 1048575 bytes"},
		{"serves-once", "10.4/declared-2-62-binary", Failed, "and on a new connection"},
		{"counts-in-32-bits", "5.2/declared-100000005-has-5", Failed, `text "Hello"`},
		{"takes-any-request", "4.2.1/key-missing", Failed, "it was accepted"},
		{"refuses-silently", "4.2.1/key-missing", Weak, "no answer: the end of the connection"},
		{"refuses-silently", "4.2.1/error-answer", Failed, "no answer: the end of the connection"},
		{"refuses-without-version", "4.2.2/version-answer", Failed, "without a Sec-WebSocket-Version that has 13"},
		{"refuses-without-version", "4.2.2/version-426", Weak, "with Upgrade []"},
		{"refuses-with-200", "4.2.1/key-missing", Failed, "200 OK"},
		{"answers-protocol", "4.2.1/plain", Failed, `names the subprotocol "x.always"`},
		{"answers-extension", "4.2.1/plain", Failed, "extensions that were not offered"},
		{"drops-early", "4.1/early-two-texts", Weak, "nothing more came"},
		{"reads-request-whole", "4.2.1/cut-everywhere", Failed, "no answer"},
		{"ignores-eof", "7.2.1/half-close", Weak, "nothing more came"},
		{"echoes-at-eof", "7.2.1/half-close-in-frame", Weak, `text "cut off"`},
	} {
		t.Run(tt.quirk+" "+strings.ReplaceAll(tt.id, "/", " "), func(t *testing.T) {
			quick := Settings{Patience: 300 * time.Millisecond}
			if tt.want == Passed {
				quick = Settings{}
			}
			st, err := NewServerTest(crookedServer(t, tt.quirk), quick, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := st.Play(t.Context(), byID[tt.id])
			if r.Outcome != tt.want || !strings.Contains(r.Actual, tt.actual) {
				t.Errorf("%s, %q; want %s and %q", r.Outcome, r.Actual, tt.want, tt.actual)
			}
		})
	}
}

func hashed(i uint32) uint32 {
	sum := sha1.Sum([]byte{byte(i)})
	return binary.BigEndian.Uint32(sum[:])
}

// Keys that can be guessed are told from such that cannot.
func TestPredictableKeys(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  func(i uint32) uint32
		want string
	}{
		{"hashed", hashed, ""},
		{"zero once", func(i uint32) uint32 { return hashed(i) * min(i, 1) }, ""},
		{"constant", func(uint32) uint32 { return 5 }, "all keys are equal"},
		{"in turns", func(i uint32) uint32 { return []uint32{0x12345678, 0x9abcdef0, 0xedcba987}[i%3] }, "came before"},
		{"of 16 bits", func(i uint32) uint32 { return i * 40503 & 0xFFFF }, "never change"},
		{"counted", func(i uint32) uint32 { return 0xFFFFFFF0 + i*0x10000001 }, "are the one before and"},
	} {
		keys := make([]uint32, 64)
		for i := range keys {
			keys[i] = tt.key(uint32(i))
		}
		if got := predictable(keys); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

const failedBy = "testdata/failedby.txt"

// Each case is failed by the testee that testdata names for it. -update looks for
// one anew.
func TestEveryCaseCanFail(t *testing.T) {
	wstest.CheckLeaks(t)
	servers := map[string]*ServerTest{}
	quick := Settings{Patience: 400 * time.Millisecond}
	var mu sync.Mutex
	newServer := func(quirk string) *ServerTest {
		st, err := NewServerTest(crookedServer(t, quirk), quick, nil)
		if err != nil {
			t.Error(err)
		}
		return st
	}
	server := func(quirk string) *ServerTest {
		mu.Lock()
		defer mu.Unlock()
		if servers[quirk] == nil {
			servers[quirk] = newServer(quirk)
		}
		return servers[quirk]
	}
	named := map[string]string{}
	if b, err := os.ReadFile(failedBy); err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 3 {
				named[f[0]+" "+f[1]] = f[2]
			}
		}
	}
	found := map[string]string{}
	inParallel(share(bySection()), func(c *Case) {
		for _, role := range []Role{Server, Client} {
			if !c.Roles.Has(role) {
				continue
			}
			at := fmt.Sprintf("%s %s", c.ID, role)
			fails := func(quirk string) bool {
				var r Result
				if role == Server && quirk == "serves-once" {
					r = newServer(quirk).Play(t.Context(), c)
				} else if role == Server {
					r = server(quirk).Play(t.Context(), c)
				} else {
					r = playCrookedClient(t, c, quick, quirk)
				}
				return r.Outcome == Failed || r.Outcome == Weak
			}
			try := []string{named[at]}
			if *update {
				try = quirks
			}
			if c.Level == Info { // what is told fails only if something else is wrong
				if try = nil; role == Server && slices.ContainsFunc(c.Tags, func(tag string) bool { return tag == "aftermath" }) {
					try = []string{"serves-once"}
				} else {
					continue
				}
			}
			for _, quirk := range try {
				// That two pieces are read apart is likely and not sure: some tries. And on a
				// busy machine a good testee may be slow once.
				failed := quirk != "" && fails(quirk)
				for range 10 {
					if strings.HasPrefix(quirk, "reads-") && !failed {
						failed = fails(quirk)
					}
				}
				if failed && (!*update || fails(quirk)) {
					mu.Lock()
					found[at] = quirk
					mu.Unlock()
					break
				}
			}
			if found := func() string { mu.Lock(); defer mu.Unlock(); return found[at] }(); found == "" {
				t.Errorf("no testee fails %s (%s); %q was tried", c.ID, role, named[at])
			}
		}
	})
	if *update {
		var b strings.Builder
		for _, c := range bySection() {
			for _, role := range []Role{Server, Client} {
				if q := found[fmt.Sprintf("%s %s", c.ID, role)]; q != "" {
					fmt.Fprintf(&b, "%s %s %s\n", c.ID, role, q)
				}
			}
		}
		if err := os.WriteFile(failedBy, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// quirks are what the crooked testees do, the most telling first.
var quirks = []string{
	"takes-any-101", "takes-any-answer", "takes-half-answers", "reads-answer-whole", "reads-request-whole",
	"takes-any-request", "answers-half-requests", "refuses-odd-requests", "refuses-odd-answers",
	"same-key", "counts-keys", "reads-whole-frames", "counts-in-32-bits", "counts-in-16-bits", "empty-pong", "no-pong",
	"takes-rsv", "takes-opcodes", "takes-any-masking", "takes-long-forms", "takes-top-bit",
	"takes-control-fragments", "takes-long-control", "takes-interleaved", "takes-orphans",
	"takes-any-text", "late-utf8", "checks-binary", "refuses-utf8",
	"refuses-empty", "refuses-over-125", "refuses-over-65535", "refuses-boundaries",
	"refuses-control-inside", "refuses-pongs", "refuses-fragments", "refuses-binary",
	"unmasks-by-message", "takes-key-0-for-none",
	"echoes-pongs", "echoes-fragments", "echoes-binary", "echoes-twice",
	"takes-any-close", "knows-few-codes", "goes-on-behind-close", "close-with-1005", "no-close", "close-is-bad", "keeps-tcp",
	"fails-with-1000", "fails-without-close", "never-fails", "ignores-eof", "echoes-at-eof",
	"unmasks-words-only", "drops-what-is-glued", "sends-rsv", "sends-long-forms",
	"loses-bytes", "serves-once", "refuses-without-version", "refuses-with-200", "refuses-silently", "drops-early",
	// These come about no further than the handshake with any case.
	"answers-odd-line", "answers-content-length", "answers-protocol", "answers-extension",
	"answers-1.0", "answers-upgrade-twice", "answers-connection-close", "answers-accept-again",
	"asks-1.0", "asks-for-nothing", "asks-with-fragment", "asks-with-odd-line", "asks-without-host", "asks-without-upgrade",
	"asks-without-upgrading", "asks-with-example-key", "asks-with-short-key", "asks-for-8", "asks-with-body", "asks-for-one-twice", "asks-and-goes-on",
}
