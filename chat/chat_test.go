package chat

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bodies is a codec that leaves an event as it is.
type bodies struct{ size int }

func (c bodies) Encode(e *Event) (Packet, error) { return Packet{Size: c.size, Value: e.Body}, nil }

var plain = bodies{size: 100}

func connect(t *testing.T, h *Hub, name string) *Session {
	t.Helper()
	s, err := h.Connect(Person{ID: "id-" + name, Name: name}, plain)
	if err != nil {
		t.Fatal(err)
	}
	wantNext[Welcome](t, s)
	return s
}

func next(t *testing.T, s *Session) Body {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p, err := s.Next(ctx)
	if err != nil {
		t.Fatalf("nothing more for %s: %v", s.Person().Name, err)
	}
	return p.Value.(Body)
}

func wantNext[B Body](t *testing.T, s *Session) B {
	t.Helper()
	got := next(t, s)
	b, ok := got.(B)
	if !ok {
		t.Fatalf("%s got %T %+v, want %T", s.Person().Name, got, got, b)
	}
	return b
}

// wantIdle states that nothing is queued for s.
func wantIdle(t *testing.T, s *Session, why string) {
	t.Helper()
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := s.Next(done); err == nil {
		t.Fatalf("%s: %s got %T %+v, want nothing", why, s.Person().Name, p.Value, p.Value)
	}
}

func join(t *testing.T, s *Session, room string, since Cursor) Joined {
	t.Helper()
	if err := s.Join(room, since, "ref"); err != nil {
		t.Fatal(err)
	}
	return wantNext[Joined](t, s)
}

// adaAndBob are in the lobby, Bob first; he has seen her come.
func adaAndBob(t *testing.T, h *Hub) (ada, bob *Session) {
	t.Helper()
	ada, bob = connect(t, h, "Ada"), connect(t, h, "Bob")
	join(t, bob, "lobby", Cursor{})
	join(t, ada, "lobby", Cursor{})
	wantNext[Presence](t, bob)
	return ada, bob
}

func send(t *testing.T, s *Session, room, id, text string) Cursor {
	t.Helper()
	if err := s.Send(room, id, text); err != nil {
		t.Fatal(err)
	}
	return wantNext[Ack](t, s).Cursor
}

func texts(ms []*Message) []string {
	out := make([]string, 0, len(ms))
	for _, m := range ms {
		out = append(out, m.Text)
	}
	return out
}

func wantCode(t *testing.T, err error, code ErrorCode) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != code {
		t.Fatalf("error %v, want one with code %s", err, code)
	}
}

func TestEveryoneInTheRoomGetsAMessageOnce(t *testing.T) {
	h := New(Options{})
	ada, bob, eve := connect(t, h, "Ada"), connect(t, h, "Bob"), connect(t, h, "Eve")
	join(t, ada, "lobby", Cursor{})
	join(t, bob, "lobby", Cursor{})
	join(t, eve, "attic", Cursor{})
	wantNext[Presence](t, ada)
	c := send(t, ada, "lobby", "1", "hello")
	for _, s := range []*Session{ada, bob} {
		m := wantNext[Posted](t, s).Message
		want := &Message{Room: "lobby", Cursor: c, Time: m.Time, From: ada.Person(), ID: "1", Text: "hello"}
		if d := cmp.Diff(want, m); d != "" {
			t.Errorf("%s (-want +got):\n%s", s.Person().Name, d)
		}
		wantIdle(t, s, "after the message")
	}
	wantIdle(t, eve, "another room's message")
}

func TestWelcomeGoesToTheOneWhoConnects(t *testing.T) {
	h := New(Options{Welcome: func(p Person) string { return "Hi " + p.Name }})
	ada := connect(t, h, "Ada")
	bob, err := h.Connect(Person{ID: "b", Name: "Bob"}, plain)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Welcome{You: Person{ID: "b", Name: "Bob"}, Text: "Hi Bob", MaxText: 16 << 10}, wantNext[Welcome](t, bob)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	wantIdle(t, ada, "somebody else's welcome")
}

func TestTheSameSendTwice(t *testing.T) {
	h := New(Options{PresenceGrace: -1})
	ada, bob := adaAndBob(t, h)
	if err := ada.Send("lobby", "1", "hello"); err != nil {
		t.Fatal(err)
	}
	first := wantNext[Ack](t, ada)
	if err := ada.Send("lobby", "1", "hello"); err != nil {
		t.Fatal(err)
	}
	wantNext[Posted](t, ada)
	if d := cmp.Diff(first, wantNext[Ack](t, ada)); d != "" {
		t.Errorf("again (-first +second):\n%s", d)
	}
	ada.Close(errors.New("cut"))
	again := connect(t, h, "Ada")
	join(t, again, "lobby", first.Cursor)
	if err := again.Send("lobby", "1", "hello"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, wantNext[Ack](t, again)); d != "" {
		t.Errorf("after reconnecting (-first +second):\n%s", d)
	}
	wantIdle(t, again, "a repeated send")
	wantNext[Posted](t, bob)
	wantNext[Presence](t, bob)
	wantNext[Presence](t, bob)
	wantIdle(t, bob, "a repeated send")

	// The id is the person's own: somebody else's 1 is another message.
	if c := send(t, bob, "lobby", "1", "mine"); c == first.Cursor {
		t.Error("two people's messages are taken for one")
	}
}

// brokenStore fails a number of times before it works.
type brokenStore struct {
	Memory
	failures int
}

func (s *brokenStore) Append(room string, ms []*Message) ([]Stored, error) {
	if s.failures--; s.failures >= 0 {
		return nil, errors.New("disk on fire at /secret/path")
	}
	return s.Memory.Append(room, ms)
}

func TestWhatIsNotStoredIsNotAcknowledged(t *testing.T) {
	h := New(Options{Store: &brokenStore{failures: 1}})
	ada := connect(t, h, "Ada")
	join(t, ada, "lobby", Cursor{})
	err := ada.Send("lobby", "1", "hello")
	wantCode(t, err, CodeUnavailable)
	if e, _ := errors.AsType[*Error](err); strings.Contains(e.Text, "secret") {
		t.Errorf("the text for the client tells too much: %s", e.Text)
	}
	wantIdle(t, ada, "a failed send")
	send(t, ada, "lobby", "1", "hello")
	wantNext[Posted](t, ada)
}

// gateStore holds every Append until told, and counts them.
type gateStore struct {
	Memory
	gate    chan struct{}
	batches []int
}

func (s *gateStore) Append(room string, ms []*Message) ([]Stored, error) {
	<-s.gate
	s.batches = append(s.batches, len(ms))
	return s.Memory.Append(room, ms)
}

// While a store is busy, the sends that come are gathered: one flush for all.
func TestSendsAreStoredInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &gateStore{gate: make(chan struct{})}
		h := New(Options{Store: store})
		var wg sync.WaitGroup
		publish := func() {
			if _, err := h.Publish("lobby", Person{ID: "p", Name: "P"}, "", "x"); err != nil {
				t.Error(err)
			}
		}
		wg.Go(publish)
		synctest.Wait() // it is in the store
		for range 9 {
			wg.Go(publish)
		}
		// A goroutine that waits for a mutex does not count as blocked, so
		// what is waited for here is the list it is in by then.
		h.mu.Lock()
		r := h.rooms["lobby"]
		h.mu.Unlock()
		for r.inLine() < 9 {
			runtime.Gosched()
		}
		close(store.gate)
		wg.Wait()
		if d := cmp.Diff([]int{1, 9}, store.batches); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// A room that lists nobody still counts.
func TestNoMembersListed(t *testing.T) {
	h := New(Options{MaxMembers: -1})
	join(t, connect(t, h, "Ada"), "lobby", Cursor{})
	if j := join(t, connect(t, h, "Bob"), "lobby", Cursor{}); len(j.Members) != 0 || j.People != 2 {
		t.Errorf("joined: %v of %d", j.Members, j.People)
	}
}

func TestPresenceCountsPeople(t *testing.T) {
	h := New(Options{MaxMembers: 2, PresenceGrace: -1})
	bob := connect(t, h, "Bob")
	join(t, bob, "lobby", Cursor{})
	tab1, tab2 := connect(t, h, "Ada"), connect(t, h, "Ada")
	join(t, tab1, "lobby", Cursor{})
	if p := wantNext[Presence](t, bob); !p.Here || p.Who.Name != "Ada" || p.People != 2 {
		t.Errorf("%+v", p)
	}
	j := join(t, tab2, "lobby", Cursor{})
	if d := cmp.Diff([]Person{tab1.Person(), bob.Person()}, j.Members); d != "" || j.People != 2 {
		t.Errorf("%d people (-want +got):\n%s", j.People, d)
	}
	wantIdle(t, bob, "a second tab")
	tab1.Close(nil)
	wantIdle(t, bob, "one tab of two goes")
	if err := tab2.Leave("lobby", "x"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Left{Ref: "x", Room: "lobby"}, wantNext[Left](t, tab2)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if p := wantNext[Presence](t, bob); p.Here || p.People != 1 {
		t.Errorf("%+v", p)
	}
	join(t, connect(t, h, "C"), "lobby", Cursor{})
	if j := join(t, connect(t, h, "D"), "lobby", Cursor{}); len(j.Members) != 2 || j.People != 3 {
		t.Errorf("%d members of %d people, want 2 of 3", len(j.Members), j.People)
	}
}

func TestCaps(t *testing.T) {
	h := New(Options{MaxRooms: 3, MaxRoomsPerSession: 2, MaxText: 5})
	ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
	join(t, ada, "1", Cursor{})
	join(t, ada, "2", Cursor{})
	wantCode(t, ada.Join("3", Cursor{}, ""), CodeTooManyRooms)
	join(t, bob, "3", Cursor{})
	wantCode(t, bob.Join("4", Cursor{}, ""), CodeTooManyRooms)
	if err := ada.Leave("1", ""); err != nil {
		t.Fatal(err)
	}
	join(t, bob, "4", Cursor{}) // there is room again
	wantCode(t, ada.Send("1", "x", "x"), CodeNotJoined)
	wantCode(t, ada.Typing("1"), CodeNotJoined)
	wantCode(t, ada.Leave("1", ""), CodeNotJoined)
	wantCode(t, ada.Send("2", "x", "123456"), CodeBadMessage)
	wantCode(t, ada.Send("2", "x", ""), CodeBadMessage)
	wantCode(t, ada.Send("2", "x", "\xff"), CodeBadMessage)
	wantCode(t, ada.Send("2", "", "x"), CodeBadID)
	wantCode(t, ada.Send("2", strings.Repeat("x", 65), "x"), CodeBadID)
	_, err := h.Publish("5", Person{}, "", "x")
	wantCode(t, err, CodeTooManyRooms)
}

func TestHooks(t *testing.T) {
	var log []string
	var mu sync.Mutex
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, fmt.Sprintf(format, args...))
	}
	h := New(Options{
		Connected:    func(s *Session) { note("connect %s", s.Person().Name) },
		Disconnected: func(s *Session, reason error) { note("disconnect %s: %v", s.Person().Name, reason) },
		AllowJoin: func(s *Session, room string) error {
			if room == "vault" {
				return errors.New("the vault is closed")
			}
			return nil
		},
		AllowSend: func(s *Session, room, text string) error {
			if text == "spam" {
				return &Error{Code: "spam", Text: "no spam"}
			}
			return nil
		},
		Joined:  func(s *Session, room string) { note("join %s", room) },
		Left:    func(s *Session, room string) { note("leave %s", room) },
		Message: func(s *Session, m *Message) { note("message %s", m.Text) },
	})
	ada := connect(t, h, "Ada")
	wantCode(t, ada.Join("vault", Cursor{}, ""), CodeNotAllowed)
	join(t, ada, "lobby", Cursor{})
	join(t, ada, "lobby", Cursor{}) // to catch up: no second join
	send(t, ada, "lobby", "1", "a")
	if err := ada.Send("lobby", "1", "a"); err != nil { // a retry: no second message
		t.Fatal(err)
	}
	wantCode(t, ada.Send("lobby", "2", "spam"), "spam")
	ada.Close(errors.New("cable cut"))
	ada.Close(nil)
	h.workers.wait(hookTimeout)
	bob := connect(t, h, "Bob")
	bob.Close(nil)
	h.Close() // waits for the hooks
	want := []string{"connect Ada", "join lobby", "message a", "leave lobby", "disconnect Ada: cable cut", "connect Bob", "disconnect Bob: <nil>"}
	if d := cmp.Diff(want, log); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestToAllToARoomToOthersToOne(t *testing.T) {
	h := New(Options{})
	ada, bob, eve := connect(t, h, "Ada"), connect(t, h, "Bob"), connect(t, h, "Eve")
	join(t, ada, "lobby", Cursor{})
	join(t, bob, "lobby", Cursor{})
	wantNext[Presence](t, ada)
	got := func() (out []string) {
		for _, s := range []*Session{ada, bob, eve} {
			done, cancel := context.WithCancel(t.Context())
			cancel()
			for {
				if _, err := s.Next(done); err != nil {
					break
				}
				out = append(out, s.Person().Name)
			}
		}
		return out
	}
	for _, tt := range []struct {
		name string
		do   func()
		want []string
	}{
		{"to all", func() { h.Broadcast(Notice{Text: "x"}) }, []string{"Ada", "Bob", "Eve"}},
		{"to all but one", func() { h.Broadcast(Notice{Text: "x"}, bob) }, []string{"Ada", "Eve"}},
		{"to a room", func() { h.ToRoom("lobby", Notice{Text: "x"}) }, []string{"Ada", "Bob"}},
		{"to a room but one", func() { h.ToRoom("lobby", Notice{Text: "x"}, ada) }, []string{"Bob"}},
		{"to no such room", func() { h.ToRoom("attic", Notice{Text: "x"}) }, nil},
		{"to a person", func() { h.ToPerson("id-Eve", Notice{Text: "x"}) }, []string{"Eve"}},
		{"to one session", func() { bob.Emit(Notice{Text: "x"}) }, []string{"Bob"}},
		{"typing", func() { ada.Typing("lobby") }, []string{"Bob"}},
		{"published", func() { h.Publish("lobby", Person{Name: "cron"}, "", "x") }, []string{"Ada", "Bob"}},
	} {
		tt.do()
		if d := cmp.Diff(tt.want, got()); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestTakenName(t *testing.T) {
	h := New(Options{PresenceGrace: -1})
	ada := connect(t, h, "Straße 7")
	for _, name := range []string{"Straße 7", "STRAßE 7", "straße7"} {
		_, err := h.Connect(Person{ID: "other", Name: name}, plain)
		wantCode(t, err, CodeNameTaken)
	}
	same, err := h.Connect(Person{ID: ada.Person().ID, Name: "Straße 7"}, plain)
	if err != nil {
		t.Fatal("the same person: ", err)
	}
	ada.Close(nil)
	_, err = h.Connect(Person{ID: "other", Name: "Straße 7"}, plain)
	wantCode(t, err, CodeNameTaken)
	same.Close(nil)
	if _, err = h.Connect(Person{ID: "other", Name: "Straße 7"}, plain); err != nil {
		t.Fatal("the name was given back: ", err)
	}
}

func TestHubClose(t *testing.T) {
	h := New(Options{})
	ada := connect(t, h, "Ada")
	ada.Emit(Notice{Text: "last words"})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	wantNext[Notice](t, ada)
	if _, err := ada.Next(t.Context()); !errors.Is(err, ErrShutdown) {
		t.Errorf("error %v, want ErrShutdown", err)
	}
	if err := ada.Join("lobby", Cursor{}, ""); !errors.Is(err, ErrClosed) {
		t.Errorf("join: %v, want ErrClosed", err)
	}
	_, err := h.Connect(Person{Name: "Bob"}, plain)
	wantCode(t, err, CodeUnavailable)
}

// The model has no wire: neither WebSocket nor JSON nor the network.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{join .Deps "\n"}}`, "framewright/chat").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		switch dep = strings.TrimSpace(dep); dep {
		case "framewright/ws", "encoding/json", "net", "net/http":
			t.Errorf("chat depends on %s", dep)
		}
	}
}

// A text that nobody can see is refused, by whichever way it comes.
func TestBlankTexts(t *testing.T) {
	h := New(Options{})
	defer h.Close()
	ada := connect(t, h, "Ada")
	if err := ada.Join("lobby", Cursor{}, ""); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{" ", "\t\r\n\v\f", "\u00a0\u2003\u3000", "\u200b", "\u200d\u200c\u2060\ufeff", " \u00ad ", "\u2800", "\u3164\u115f\uffa0",
		"\ufe0f", "\U000e0020\U000e0001", "\u202e\u2066", "\u034f", "\x00\x1b\x7f\u0085", "\u180e", "\u2028\u2029"} {
		wantCode(t, ada.Send("lobby", "1", text), CodeBadMessage)
		wantCode(t, ada.Private(ada.Person().ID, "1", text), CodeBadMessage)
		_, err := h.Publish("lobby", Person{ID: "program"}, "", text)
		wantCode(t, err, CodeBadMessage)
	}
	for i, text := range []string{".", "\u200f.", "\u0301", "🙂", "🫩", "\ue000", "\u0600", "\ufffd", "\U0001fae9", "\U00013430"} {
		if err := ada.Send("lobby", fmt.Sprint(i), text); err != nil {
			t.Errorf("%+q: %v", text, err)
		}
	}
}
