package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"framewright/chat"
	"framewright/internal/lookalike"
	"framewright/internal/strictjson"
)

// Bounds of what is decoded, in bytes: a person and two times need less.
const (
	maxToken   = 4 << 10
	maxSubject = 255
)

// header is the only one that is made.
const header = `{"alg":"HS256","typ":"JWT"}`

// claims are the fields of a token that count here; others are ignored.
type claims struct {
	subject, name, issuer string
	audience              []string // nil: no aud
	expires, notBefore    time.Time
	hasExpires            bool
}

var b64 = base64.RawURLEncoding.Strict()

// decode is base64url as RFC 7515 §2 has it: without padding, without line
// breaks (which encoding/base64 passes over), without bits that are left over.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("white space in base64url")
	}
	return b64.DecodeString(s)
}

var (
	headerKeys = []string{"alg", "typ", "crit"}
	claimKeys  = []string{"sub", "name", "exp", "nbf", "iat", "iss", "aud"}
)

// checkHeader takes the one algorithm, in its own case, and no extension.
func checkHeader(part string) error {
	text, err := decode(part)
	if err != nil {
		return fmt.Errorf("not a token: the header is not base64url without padding")
	}
	algorithm := ""
	err = strictjson.Object(text, strictjson.Limits{Known: headerKeys}, func(key string, v strictjson.Value) error {
		switch key {
		case "alg", "typ":
			if v.Kind != strictjson.String {
				return fmt.Errorf("of a header in which %q is %v; expected a string", key, v.Kind)
			}
			if key == "alg" {
				algorithm = v.Text()
			}
		case "crit": // RFC 7515 §4.1.11: who does not understand what it lists refuses
			return fmt.Errorf("of a header with %q (%.64q); no extension is taken", key, v.Raw)
		}
		return nil
	})
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		return fmt.Errorf("of a header that is not right: %w", e)
	}
	if err == nil && algorithm != "HS256" {
		return fmt.Errorf("of the algorithm (alg) %.16q; only HS256 is taken", algorithm)
	}
	return err
}

// parseClaims reads the claims and checks their types; Verifier.judge says what
// they must be.
func parseClaims(part string) (c claims, err error) {
	text, err := decode(part)
	if err != nil {
		return c, fmt.Errorf("not a token: the claims are not base64url without padding")
	}
	err = strictjson.Object(text, strictjson.Limits{Members: 64, Known: claimKeys}, c.set)
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		return c, fmt.Errorf("one whose claims are not right: %w", e)
	}
	if err != nil {
		return c, err
	}
	if c.subject == "" || !c.hasExpires {
		return c, errors.New("without a subject (sub) or an end (exp)")
	}
	return c, nil
}

func (c *claims) set(key string, v strictjson.Value) error {
	if v.Kind == strictjson.Null {
		return nil // no value
	}
	switch key {
	case "sub", "name", "iss":
		if v.Kind != strictjson.String {
			return wrong(key, v, "a string")
		}
		switch text := v.Text(); key {
		case "sub":
			if err := checkSubject(text); err != nil {
				return err
			}
			c.subject = text
		case "name":
			if err := chat.CheckName(text); err != nil && text != "" {
				return fmt.Errorf("one whose name is of no use here: %w", err)
			}
			c.name = text
		case "iss":
			c.issuer = text
		}
	case "exp", "nbf", "iat":
		if v.Kind != strictjson.Number {
			return wrong(key, v, "a number of seconds since 1970")
		}
		n, err := v.Float()
		if err != nil {
			return wrong(key, v, "a number of seconds since 1970 that is not out of all bounds")
		}
		switch key {
		case "exp":
			c.expires, c.hasExpires = seconds(n), true
		case "nbf":
			c.notBefore = seconds(n)
		}
	case "aud":
		return c.setAudience(v)
	}
	return nil
}

func wrong(key string, v strictjson.Value, expected string) error {
	return fmt.Errorf("one whose %s is %v; expected %s", key, v.Kind, expected)
}

// checkSubject holds an id to what can be shown and compared.
func checkSubject(s string) error {
	if s == "" || len(s) > maxSubject {
		return fmt.Errorf("one whose subject (sub) has %d bytes; expected 1 to %d", len(s), maxSubject)
	}
	if strings.HasPrefix(s, chat.GuestPrefix) {
		return fmt.Errorf("one whose subject (sub) begins with %q, as the ids of guests do", chat.GuestPrefix)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar || lookalike.Invisible(r) { // a print character is visible, or a space, or said to be
			return fmt.Errorf("one whose subject (sub) has the character %U; expected only those that can be seen", r)
		}
	}
	if strings.TrimSpace(s) != s {
		return errors.New("one whose subject (sub) begins or ends with a space")
	}
	return nil
}

// setAudience takes a string or an array of strings (RFC 7519 §4.1.3).
func (c *claims) setAudience(v strictjson.Value) error {
	c.audience = []string{}
	switch v.Kind {
	case strictjson.String:
		c.audience = append(c.audience, v.Text())
		return nil
	case strictjson.Array:
		return v.Elements(func(e strictjson.Value) error {
			if e.Kind != strictjson.String {
				return wrong("aud", e, "a string, or an array of strings")
			}
			c.audience = append(c.audience, e.Text())
			return nil
		})
	}
	return wrong("aud", v, "a string, or an array of strings")
}

// judge says whether the token is meant for this server.
func (v Verifier) judge(c claims) error {
	if v.Issuer != "" && c.issuer != v.Issuer {
		return fmt.Errorf("of the issuer (iss) %.64q; expected %.64q", c.issuer, v.Issuer)
	}
	switch {
	case v.Audience != "" && !slices.Contains(c.audience, v.Audience):
		return fmt.Errorf("for the audience (aud) %.64q; expected %.64q", c.audience, v.Audience)
	case v.Audience == "" && c.audience != nil:
		// RFC 7519 §4.1.3: who is not named there refuses.
		return fmt.Errorf("for the audience (aud) %.64q, and this server has no name of that kind (option -token-audience)", c.audience)
	}
	return nil
}

// seconds reads a NumericDate (RFC 7519 §2). One out of range is the range's
// end.
func seconds(n float64) time.Time {
	const most = 1 << 40 // in some thirty thousand years
	return time.Unix(int64(math.Floor(max(0, min(n, most)))), 0)
}
