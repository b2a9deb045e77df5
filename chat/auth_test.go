package chat

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// byTokens authenticates by tokens such as "Ada for 1m".
func byTokens(ctx context.Context, c Credentials) (Identity, error) {
	name, life, ok := strings.Cut(c.Token, " for ")
	d, err := time.ParseDuration(life)
	if !ok || err != nil {
		return Identity{}, &Error{Code: CodeBadToken, Text: "not a token of this server"}
	}
	return Identity{Person: Person{ID: "id-" + name, Name: name}, Expires: time.Now().Add(d)}, nil
}

func login(t *testing.T, h *Hub, token string) *Session {
	t.Helper()
	id, err := h.Authenticate(t.Context(), Credentials{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Admit(id, plain)
	if err != nil {
		t.Fatal(err)
	}
	if w := wantNext[Welcome](t, s); !w.Expires.Equal(id.Expires) {
		t.Errorf("welcome says %v, want %v", w.Expires, id.Expires)
	}
	return s
}

// Rows 89 and 94.
func TestTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Authenticate: byTokens})
		defer h.Close()
		ada := login(t, h, "Ada for 1m")
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if ada.Err() != nil {
			t.Fatal("too early: ", ada.Err())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if r := wantNext[Refusal](t, ada); r.Code != CodeExpired {
			t.Errorf("%+v", r)
		}
		if _, err := ada.Next(t.Context()); !errors.Is(err, ErrExpired) {
			t.Errorf("ended with %v, want ErrExpired", err)
		}
	})
}

func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Authenticate: byTokens})
		defer h.Close()
		ada := login(t, h, "Ada for 1m")
		time.Sleep(50 * time.Second)
		if err := ada.Refresh(t.Context(), "Ada for 2m", "r"); err != nil {
			t.Fatal(err)
		}
		want := time.Now().Add(2 * time.Minute)
		if d := cmp.Diff(Refreshed{Ref: "r", Expires: want}, wantNext[Refreshed](t, ada)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		wantCode(t, ada.Refresh(t.Context(), "Eve for 9h", ""), CodeBadToken)
		wantCode(t, ada.Refresh(t.Context(), "nonsense", ""), CodeBadToken)
		wantCode(t, ada.Refresh(t.Context(), "", ""), CodeBadToken)
		wantCode(t, ada.Refresh(t.Context(), "Ada for 0s", ""), CodeExpired)
		time.Sleep(2*time.Minute - 1)
		synctest.Wait()
		if ada.Err() != nil {
			t.Fatal("the refresh had no effect: ", ada.Err())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !errors.Is(ada.Err(), ErrExpired) {
			t.Errorf("%v, want ErrExpired", ada.Err())
		}
		if err := ada.Refresh(t.Context(), "Ada for 1m", ""); !errors.Is(err, ErrClosed) {
			t.Errorf("too late: %v, want ErrClosed", err)
		}
	})
}

func TestAuthenticateRefuses(t *testing.T) {
	h := New(Options{Authenticate: byTokens})
	_, err := h.Authenticate(t.Context(), Credentials{Token: "altered"})
	wantCode(t, err, CodeBadToken)
	_, err = h.Authenticate(t.Context(), Credentials{Token: "Ada for -1s"})
	wantCode(t, err, CodeExpired)
	_, err = h.Admit(Identity{Person: Person{Name: "Ada"}, Expires: time.Now().Add(-time.Second)}, plain)
	wantCode(t, err, CodeExpired)
	broken := New(Options{Authenticate: func(context.Context, Credentials) (Identity, error) {
		return Identity{}, errors.New("no such user")
	}})
	_, err = broken.Authenticate(t.Context(), Credentials{})
	wantCode(t, err, CodeBadToken)
	none := New(Options{})
	_, err = none.Authenticate(t.Context(), Credentials{Name: "Ada", Token: "x"})
	wantCode(t, err, CodeBadToken)
	for _, secret := range []string{"short", strings.Repeat("x", 129)} {
		_, err = none.Authenticate(t.Context(), Credentials{Name: "Ada", Secret: secret})
		wantCode(t, err, CodeBadSecret)
	}
}

// A timer of a session that has gone keeps nothing alive and does no harm.
func TestExpiryAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Authenticate: byTokens})
		ada := login(t, h, "Ada for 1m")
		ada.Close(nil)
		if ada.expiry != nil {
			t.Error("the timer runs on")
		}
		time.Sleep(time.Hour)
		if !errors.Is(ada.Err(), ErrClosed) {
			t.Error(ada.Err())
		}
		h.Close()
	})
}

// A guest's id is public: nobody who can choose the subject of a token becomes a
// guest by it, and no account's id can be had by a secret.
func TestGuestsHaveIDsOfTheirOwn(t *testing.T) {
	h := New(Options{})
	defer h.Close()
	p, err := PersonFromSecret("Ada", "correct horse battery")
	if err != nil || !strings.HasPrefix(p.ID, GuestPrefix) {
		t.Errorf("%+v, %v", p, err)
	}
	ada, err := h.Connect(p, plain)
	if err != nil {
		t.Fatal(err)
	}
	if id := connect(t, h, "Bob"); !strings.HasPrefix(NewGuestID(), GuestPrefix) || id == nil {
		t.Error(NewGuestID())
	}
	nobody, err := h.Connect(Person{Name: "Eve"}, plain)
	if err != nil || !strings.HasPrefix(nobody.Person().ID, GuestPrefix) {
		t.Error(nobody.Person(), err)
	}
	_, err = h.Connect(Person{ID: p.ID, Name: "Ada", Account: true}, plain)
	wantCode(t, err, CodeBadToken)
	if ada.Person() != p || len(h.sessionsOf(p.ID)) != 1 {
		t.Errorf("%+v", ada.Person())
	}
}

// Who is being admitted while it is banned is refused, or found to be kicked.
func TestBanWhileConnecting(t *testing.T) {
	h := New(Options{PresenceGrace: -1})
	defer h.Close()
	for range 200 {
		start := make(chan struct{})
		var wg sync.WaitGroup
		var s *Session
		wg.Go(func() {
			<-start
			s, _ = h.Admit(Identity{Person: Person{ID: "eve", Name: "Eve"}, Address: "192.0.2.1"}, plain)
		})
		found := 0
		wg.Go(func() {
			<-start
			h.Ban("eve", "", time.Now().Add(time.Hour))
			found = h.Kick("", "eve", "")
		})
		close(start)
		wg.Wait()
		if s != nil && s.Err() == nil {
			t.Fatalf("banned, and here; %d were kicked", found)
		}
		if s != nil {
			s.Close(nil)
		}
		h.Ban("eve", "", time.Time{})
	}
}
