package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"framewright/ws"
)

var plainAuthority = regexp.MustCompile(`^([a-z0-9-]+\.)*[a-z0-9-]+(:[1-9][0-9]{0,3})?$`)

// browserAuthority is what stands behind the scheme of an origin that a browser
// sends: ASCII, no escapes (RFC 6454 §6.2).
var browserAuthority = regexp.MustCompile(`^(\[[0-9a-f:.]+\]|([a-z0-9_-]+\.)*[a-z0-9_-]+\.?)(:[1-9][0-9]{0,4})?$`)

// FuzzOrigin: without patterns an origin passes only if, letter by letter, it
// is a scheme and the host and port that were asked, and net/url agrees; an
// ordinary one of that form does pass; a pattern lets in what a second
// reading of it on top of net/url lets in.
func FuzzOrigin(f *testing.F) {
	f.Fuzz(func(t *testing.T, tls bool, origin, host, pattern string) {
		r := &ws.Request{Host: host, TLS: tls, Header: http.Header{"Origin": {origin}}}
		err := ws.CheckOrigin(r, nil)
		if err != nil {
			checkRefusal(t, err)
		}
		scheme, authority, _ := strings.Cut(asciiLower(origin), "://")
		secure := scheme == "https" || scheme == "http" && !tls
		same := secure && withPort(scheme, authority) == withPort(scheme, asciiLower(host))
		switch {
		case err == nil && (!same || !browserAuthority.MatchString(authority)):
			t.Fatalf("origin %q passes at host %q", origin, host)
		case err != nil && same && plainAuthority.MatchString(authority):
			t.Fatalf("origin %q, host %q: %v", origin, host, err)
		}
		u, parseErr := url.Parse(origin)
		if err == nil && parseErr == nil {
			asked, err := url.Parse(u.Scheme + "://" + host)
			if err != nil || asciiLower(asked.Hostname()) != asciiLower(u.Hostname()) || u.User != nil || u.Path != "" || u.RawQuery != "" {
				t.Fatalf("origin %q passes at host %q, but net/url reads %+v and %+v", origin, host, u, asked)
			}
		}

		if ws.CheckOriginPattern(pattern) != nil || !utf8.ValidString(pattern) {
			return
		}
		withPattern := ws.CheckOrigin(r, &ws.Policy{OriginPatterns: []string{pattern}})
		if err == nil && withPattern != nil {
			t.Fatalf("pattern %q shuts %q out: %v", pattern, origin, withPattern)
		}
		if withPattern == nil && pattern != "*" && origin != "null" && !browserAuthority.MatchString(authority) {
			t.Fatalf("pattern %q lets in %q, which no browser sends", pattern, origin)
		}
		if parseErr != nil || err == nil {
			return
		}
		if want := allows(pattern, origin, u); (withPattern == nil) != want && (withPattern == nil || plainAuthority.MatchString(authority)) {
			t.Fatalf("pattern %q, origin %q: %v, want %v", pattern, origin, withPattern, want)
		}
	})
}

// withPort adds the scheme's port to an authority without one.
func withPort(scheme, authority string) string {
	if strings.LastIndexByte(authority, ':') > strings.LastIndexByte(authority, ']') {
		return authority
	}
	return authority + map[string]string{"http": ":80", "https": ":443"}[scheme]
}

// allows reads a pattern, which is in order, once more: the star of a host is
// one or more labels, that of a port any number.
func allows(pattern, origin string, u *url.URL) bool {
	pattern = asciiLower(pattern)
	if pattern == "*" || pattern == "null" {
		return pattern == "*" || origin == "null"
	}
	scheme, rest, found := strings.Cut(pattern, "://")
	if !found {
		scheme, rest = "https?", pattern
	} else {
		scheme = regexp.QuoteMeta(scheme)
	}
	anyPort := strings.HasSuffix(rest, ":*")
	rest = strings.TrimSuffix(rest, ":*")
	host, wild := strings.CutPrefix(rest, "*")
	re := "^" + scheme + "://"
	if wild {
		re += "[^:/]+"
	}
	re += regexp.QuoteMeta(host)
	if anyPort {
		re += "(:[^:/]+)?"
	} else if strings.LastIndexByte(rest, ':') <= strings.LastIndexByte(rest, ']') {
		re += "(:" + map[string]string{"http": "80", "https": "443"}[u.Scheme] + ")?"
	}
	full := regexp.MustCompile(re + "$")
	with := asciiLower(u.Scheme + "://" + u.Host)
	return full.MatchString(with) || full.MatchString(u.Scheme+"://"+withPort(u.Scheme, asciiLower(u.Host))) ||
		full.MatchString(strings.TrimSuffix(with, map[string]string{"http": ":80", "https": ":443"}[u.Scheme]))
}
