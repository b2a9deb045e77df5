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
	ada   = chat.Person{ID: "u17", Name: "Ada", Account: true}
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

// resigned signs what is in front of a signature, as somebody with the key could.
func resigned(signed string) string { return signed + "." + b64.EncodeToString(key.sum(signed)) }

func TestIssuerAndAudience(t *testing.T) {
	future := time.Now().Add(time.Hour)
	v := Verifier{Key: key, Issuer: "https://site.example", Audience: "chat"}
	if id, err := v.Check(v.Sign(ada, future)); err != nil || id.Person.ID != ada.ID {
		t.Errorf("its own: %+v, %v", id, err)
	}
	made := func(more string) string {
		return resigned(b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(fmt.Appendf(nil, `{"sub":"u17","exp":%d%s}`, future.Unix(), more)))
	}
	for _, tt := range []struct{ name, more, text string }{
		{"several audiences", `,"iss":"https://site.example","aud":["shop","chat"]`, ""},
		{"neither", ``, `issuer (iss) ""; expected "https://site.example"`},
		{"no issuer", `,"aud":"chat"`, `issuer (iss) ""`},
		{"another issuer", `,"iss":"https://site.example/","aud":"chat"`, `"https://site.example/"; expected`},
		{"no audience", `,"iss":"https://site.example"`, `audience (aud) []; expected "chat"`},
		{"another audience", `,"iss":"https://site.example","aud":"Chat"`, `["Chat"]; expected "chat"`},
		{"other audiences", `,"iss":"https://site.example","aud":["shop","mail"]`, `["shop" "mail"]; expected "chat"`},
		{"none of several", `,"iss":"https://site.example","aud":[]`, `[]; expected "chat"`},
	} {
		_, err := v.Check(made(tt.more))
		if tt.text == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		wantCode(t, tt.name, err, chat.CodeBadToken)
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.text)
		}
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
	// What says by its text which part is wrong, and what was expected.
	claims := func(more string) string { return made(header, `{"sub":"a","exp":`+exp+more+`}`) }
	for _, tt := range []struct{ name, token, text string }{
		{"a line break in the signature", good[:len(good)-5] + "\n" + good[len(good)-5:], "the signature is not base64url"},
		{"a line break behind it", good + "\r\n", "the signature is not base64url"},
		{"a space behind it", good + " ", "the signature is not base64url"},
		{"padding", good + "=", "the signature is not base64url"},
		{"bits left over", good[:len(good)-1] + string(good[len(good)-1]+1), "the signature is not base64url"},
		{"signed with the line break", resigned("\n" + part[0] + "." + part[1]), "the header is not base64url"},
		{"signed with padding", resigned(part[0] + "." + part[1] + "=="), "the claims are not base64url"},
		{"oversize", strings.Repeat("x", maxToken+1), "expected at most 4096"},
		{"alg in other case", made(`{"alg":"hs256"}`, `{"sub":"a","exp":`+exp+`}`), `"hs256"; only HS256`},
		{"alg None", made(`{"alg":"None"}`, `{"sub":"a","exp":`+exp+`}`), `"None"; only HS256`},
		{"no alg", made(`{"typ":"JWT"}`, `{"sub":"a","exp":`+exp+`}`), `alg) ""; only HS256`},
		{"alg as a list", made(`{"alg":["HS256"]}`, `{"sub":"a","exp":`+exp+`}`), `"alg" is an array`},
		{"ALG", made(`{"ALG":"HS256"}`, `{"sub":"a","exp":`+exp+`}`), `"ALG" is written "alg"`},
		{"two algs", made(`{"alg":"none","alg":"HS256"}`, `{"sub":"a","exp":`+exp+`}`), `"alg" stands there twice`},
		{"an empty crit", made(`{"alg":"HS256","crit":[]}`, `{"sub":"a","exp":`+exp+`}`), `"crit"`},
		{"a crit that is null", made(`{"alg":"HS256","crit":null}`, `{"sub":"a","exp":`+exp+`}`), `"crit"`},
		{"a deep header", made(`{"alg":"HS256","x":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`}`, `{"sub":"a","exp":`+exp+`}`), "deeper than 16"},
		{"two subs", claims(`,"sub":"b"`), `"sub" stands there twice`},
		{"two subs, one escaped", claims(`,"\u0073ub":"b"`), `"sub" stands there twice`},
		{"sub and SUB", claims(`,"SUB":"b"`), `"SUB" stands there twice`},
		{"Sub alone", made(header, `{"Sub":"a","exp":`+exp+`}`), `"Sub" is written "sub"`},
		{"EXP beside exp", claims(`,"EXP":1`), "twice"},
		{"two unknown", claims(`,"x":1,"x":2`), "twice"},
		{"sub is a number", made(header, `{"sub":17,"exp":`+exp+`}`), "sub is a number; expected a string"},
		{"a long sub", made(header, `{"sub":"`+strings.Repeat("x", 2000)+`","exp":`+exp+`}`), "has 2000 bytes; expected 1 to 255"},
		{"a sub with a line break", made(header, `{"sub":"a\nb","exp":`+exp+`}`), "U+000A"},
		{"a sub with NUL", made(header, `{"sub":"a\u0000","exp":`+exp+`}`), "U+0000"},
		{"a sub that hides", made(header, `{"sub":"a\u200b","exp":`+exp+`}`), "U+200B"},
		{"a sub with a filler", made(header, `{"sub":"a\u3164","exp":`+exp+`}`), "U+3164"},
		{"a sub with a joiner of graphemes", made(header, `{"sub":"a\u034f","exp":`+exp+`}`), "U+034F"},
		{"a sub with an empty pattern", made(header, `{"sub":"\u2800","exp":`+exp+`}`), "U+2800"},
		{"a guest's id", made(header, `{"sub":"~fdc0706e1daf780b5335b2f9","exp":`+exp+`}`), `begins with "~", as the ids of guests do`},
		{"a sub of a space", made(header, `{"sub":" a","exp":`+exp+`}`), "space"},
		{"half a surrogate pair", made(header, `{"sub":"a\ud800","exp":`+exp+`}`), "surrogate"},
		{"a name that is a list", claims(`,"name":["Ada"]`), "name is an array; expected a string"},
		{"a name that hides", claims(`,"name":"A\u202eda"`), "U+202E"},
		{"a name too long", claims(`,"name":"` + strings.Repeat("x", 33) + `"`), "32"},
		{"exp is true", made(header, `{"sub":"a","exp":true}`), "exp is true or false; expected a number"},
		{"exp is null", made(header, `{"sub":"a","exp":null}`), "an end (exp)"},
		{"exp out of bounds", made(header, `{"sub":"a","exp":1e400}`), "exp is a number; expected"},
		{"nbf is text", claims(`,"nbf":"now"`), "nbf is a string; expected a number"},
		{"iat is an object", claims(`,"iat":{}`), "iat is an object; expected a number"},
		{"iss is a number", claims(`,"iss":1`), "iss is a number; expected a string"},
		{"aud, and nobody demands one", claims(`,"aud":"shop"`), `["shop"], and this server has no name of that kind (option -token-audience)`},
		{"an empty aud", claims(`,"aud":[]`), "-token-audience"},
		{"aud is a number", claims(`,"aud":1`), "aud is a number; expected a string, or an array"},
		{"aud of numbers", claims(`,"aud":["a",1]`), "aud is a number; expected a string, or an array"},
		{"more behind", made(header, `{"sub":"a","exp":`+exp+`}{}`), "more behind"},
		{"a list", made(header, `["a"]`), "expected an object"},
	} {
		_, err := key.Check(tt.token)
		wantCode(t, tt.name, err, chat.CodeBadToken)
		if err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), string(key)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.text)
		}
	}
	for _, more := range []string{`,"nbf":1.5`, `,"nbf":-1e300`, `,"iat":` + exp, `,"name":null`, `,"name":""`, `,"iss":"anybody"`, `,"x":{"y":[1]}`, `,"aud":null`} {
		if _, err := key.Check(claims(more)); err != nil {
			t.Errorf("%s: %v", more, err)
		}
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
