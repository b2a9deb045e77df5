package chat

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// notes is a Writer that notes its calls: "+a" for a packet that says a, "|" behind each
// batch, "over" and "end" with their reasons.
type notes struct {
	mu    sync.Mutex
	calls []string

	hold   chan struct{} // Write waits until it is closed; nil: it does not
	failed error         // what Write returns
}

func (n *notes) note(call string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = append(n.calls, call)
}

func (n *notes) Write(batch []Packet) error {
	var b strings.Builder
	for _, p := range batch {
		b.WriteString("+" + p.Value.(string))
	}
	n.note(b.String() + "|")
	n.mu.Lock()
	hold := n.hold
	n.mu.Unlock()
	if hold != nil {
		<-hold
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failed
}

// set changes what Write does from its next call on.
func (n *notes) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

func (n *notes) Over(reason error) { n.note("over " + word(reason)) }
func (n *notes) End(err error)     { n.note("end " + word(err)) }

func word(err error) string { return EndReason(err) }

var errPeer = errors.New("the peer is gone")

// A script is read from left to right: "a" puts a packet that says a, "." waits until
// nothing goes on any more, "hold" keeps the writer in its next Write until "go", "fail"
// has Write return an error, "kick" ends the queue, "attend" has the writer begin.
func TestAttend(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"one at a time", "attend a . b . c .", "+a| +b| +c|"},
		{"what came before", "a b attend . c .", "+a+b| +c|"},
		{"together", "attend hold a . b c . go .", "+a| +b+c|"},
		{"no more than a batch has", "a b c d e attend .", "+a+b+c| +d+e|"},
		{"one that is longer than a batch", "LONG b attend .", "+LONG| +b|"},
		{"the end", "attend a . kick .", "+a| over kicked end kicked"},
		{"the end of what waits", "attend hold a . b kick . go .", "+a| over kicked +b| end kicked"},
		{"it was over before", "a kick attend .", "over kicked +a| end kicked"},
		{"it was over before, and nothing waits", "kick attend .", "over kicked end kicked"},
		{"a second end", "attend kick . kick .", "over kicked end kicked"},
		{"nothing after an error", "attend fail a . b . kick .", "+a| end lost over kicked"},
		{"nothing after the end", "attend kick . a .", "over kicked end kicked"},
		{"too slow", "attend hold a . FULL FULL . go .", "+a| over slow end slow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, w := new(outbox), new(notes)
				q.init(1000, time.Hour)
				for step := range strings.FieldsSeq(tt.script) {
					switch step {
					case ".":
						synctest.Wait()
					case "attend":
						q.attend(w, 30)
					case "hold":
						w.set(func() { w.hold = make(chan struct{}) })
					case "go":
						w.set(func() { close(w.hold); w.hold = nil })
					case "fail":
						w.set(func() { w.failed = errPeer })
					case "kick":
						q.close(ErrKicked)
					default:
						size := map[string]int{"LONG": 100, "FULL": 900}[step]
						if size == 0 {
							size = 10
						}
						q.put(Packet{Size: size, Value: step}, false, time.Now())
					}
				}
				if diff := cmp.Diff(tt.want, strings.Join(w.calls, " ")); diff != "" {
					t.Errorf("the writer's calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A session that waits has no goroutine for its writer.
func TestAttendRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, w := new(outbox), new(notes)
		q.init(1000, time.Hour)
		q.attend(w, 30)
		for range 3 {
			q.put(Packet{Size: 10, Value: "a"}, false, time.Now())
			synctest.Wait()
			if stacks := allStacks(); strings.Contains(stacks, "(*outbox).write") {
				t.Errorf("nothing waits, and a goroutine is there:\n%s", stacks)
			}
		}
	})
}

// allStacks is what all goroutines do.
func allStacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
