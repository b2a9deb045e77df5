package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/chat"
)

var (
	key   = Key("0123456789abcdef0123456789abcdef")
	other = Key("another key, and just as long as.")
	ada   = chat.Person{ID: "u17", Name: "Ada"}
)

func TestSignAndCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expires := time.Now().Add(time.Hour)
		tok := key.Sign(ada, expires)
		id, err := key.Check(tok)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(chat.Identity{Person: ada, Expires: id.Expires}, id); d != "" || !id.Expires.Equal(expires) {
			t.Errorf("expires %v, want %v (-want +got):\n%s", id.Expires, expires, d)
		}
		time.Sleep(time.Hour - 1)
		if _, err := key.Check(tok); err != nil {
			t.Errorf("in its last moment: %v", err)
		}
		time.Sleep(time.Nanosecond)
		_, err = key.Check(tok)
		wantCode(t, "after its end", err, chat.CodeExpired)
	})
}

func wantCode(t *testing.T, why string, err error, code chat.ErrorCode) {
	t.Helper()
	if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != code {
		t.Errorf("%s: %v, want an error with code %s", why, err, code)
	}
}

// The token of RFC 7515 appendix A.1, made with that appendix's key, has no
// subject; its signature must be found good all the same.
func TestRFC7515Vector(t *testing.T) {
	k, err := b64.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Key(k).Check("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
	if err == nil || !strings.Contains(err.Error(), "subject") {
		t.Errorf("%v; want a complaint about the subject, not the signature", err)
	}
}

// Row 89: altered, foreign, expired; and what else has been tried with tokens.
func TestBadTokens(t *testing.T) {
	future := time.Now().Add(time.Hour)
	good := key.Sign(ada, future)
	part := strings.Split(good, ".")
	made := func(head, body string) string {
		s := b64.EncodeToString([]byte(head)) + "." + b64.EncodeToString([]byte(body))
		return s + "." + b64.EncodeToString(key.sum(s))
	}
	exp := fmt.Sprint(future.Unix())
	for _, tt := range []struct {
		name, token string
		code        chat.ErrorCode
	}{
		{"empty", "", chat.CodeBadToken},
		{"nonsense", "nonsense", chat.CodeBadToken},
		{"dots", "..", chat.CodeBadToken},
		{"a megabyte", strings.Repeat("x", 1<<20), chat.CodeBadToken},
		{"foreign", other.Sign(ada, future), chat.CodeBadToken},
		{"expired", key.Sign(ada, time.Now().Add(-time.Second)), chat.CodeExpired},
		{"another body", part[0] + "." + strings.Split(key.Sign(chat.Person{ID: "root"}, future), ".")[1] + "." + part[2], chat.CodeBadToken},
		{"no signature", part[0] + "." + part[1] + ".", chat.CodeBadToken},
		{"half a signature", good[:len(good)-10], chat.CodeBadToken},
		{"a fourth part", good + ".x", chat.CodeBadToken},
		{"alg none, unsigned", b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + part[1] + ".", chat.CodeBadToken},
		{"alg none, signed", made(`{"alg":"none"}`, `{"sub":"a","exp":`+exp+`}`), chat.CodeBadToken},
		{"alg HS512", made(`{"alg":"HS512"}`, `{"sub":"a","exp":`+exp+`}`), chat.CodeBadToken},
		{"a critical extension", made(`{"alg":"HS256","crit":["b64"]}`, `{"sub":"a","exp":`+exp+`}`), chat.CodeBadToken},
		{"no end", made(header, `{"sub":"a"}`), chat.CodeBadToken},
		{"no subject", made(header, `{"exp":`+exp+`}`), chat.CodeBadToken},
		{"an end that is text", made(header, `{"sub":"a","exp":"`+exp+`"}`), chat.CodeBadToken},
		{"an end before time began", made(header, `{"sub":"a","exp":-1e300}`), chat.CodeExpired},
		{"not yet", made(header, `{"sub":"a","exp":`+exp+`,"nbf":`+exp+`}`), chat.CodeBadToken},
		{"no JSON", made(header, `{`), chat.CodeBadToken},
	} {
		_, err := key.Check(tt.token)
		wantCode(t, tt.name, err, tt.code)
	}
	if _, err := key.Check(made(header, `{"sub":"a","exp":1e300,"iat":1,"admin":true}`)); err != nil {
		t.Errorf("a far end and other fields: %v", err)
	}
	// Every single changed character is noticed.
	for i := range good {
		bad := []byte(good)
		if bad[i] == 'A' {
			bad[i] = 'B'
		} else {
			bad[i] = 'A'
		}
		if _, err := key.Check(string(bad)); err == nil {
			t.Errorf("changed at %d, and accepted", i)
		}
	}
}

func TestKeys(t *testing.T) {
	if _, err := NewKey([]byte("too short")); err == nil {
		t.Error("a short key is accepted")
	}
	if k, err := NewKey(key); err != nil || cmp.Diff(key, k) != "" {
		t.Error(k, err)
	}
	_, err := Key(nil).Check(Key(nil).Sign(ada, time.Now().Add(time.Hour)))
	wantCode(t, "no key", err, chat.CodeBadToken)
}

func TestAuthenticate(t *testing.T) {
	hub := chat.New(chat.Options{Authenticate: key.Authenticate})
	defer hub.Close()
	ctx := context.Background()
	future := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		c    chat.Credentials
		want chat.Person
	}{
		{chat.Credentials{Token: key.Sign(ada, future)}, ada},
		{chat.Credentials{Name: "Eve", Secret: "does not count at all", Token: key.Sign(ada, future)}, ada},
		{chat.Credentials{Name: "Eve", Token: key.Sign(chat.Person{ID: "u17"}, future)}, chat.Person{ID: "u17", Name: "Eve"}},
	} {
		id, err := hub.Authenticate(ctx, tt.c)
		if err != nil || id.Person != tt.want {
			t.Errorf("%+v: %+v, %v", tt.c, id, err)
		}
	}
	_, err := hub.Authenticate(ctx, chat.Credentials{Name: "Ada", Secret: "correct horse battery"})
	wantCode(t, "no token", err, chat.CodeBadToken)
}

func FuzzCheck(f *testing.F) {
	f.Add(key.Sign(ada, time.Unix(1<<40, 0)))
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := key.Check(s)
		if _, ok := errors.AsType[*chat.Error](err); err != nil && !ok {
			t.Fatalf("%v is no refusal", err)
		}
		if err == nil && (id.Person.ID == "" || id.Expires.IsZero()) {
			t.Fatalf("%+v is accepted", id)
		}
	})
}
