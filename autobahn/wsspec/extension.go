package wsspec

import (
	"fmt"
	"strconv"
	"strings"
)

// An extension is one element of a Sec-WebSocket-Extensions field (§9.1).
type extension struct {
	name   string
	params []param
}

// A param is one of an extension's parameters.
type param struct {
	name, value string
	valued      bool // there was a "="
}

func (e extension) String() string {
	var b strings.Builder
	b.WriteString(e.name)
	for _, p := range e.params {
		b.WriteString("; " + p.name)
		if p.valued {
			b.WriteString("=" + p.value)
		}
	}
	return b.String()
}

// parseExtensions reads the elements of all fields of that name (§9.1):
//
//	extension-list  = 1#extension
//	extension       = token *( ";" token [ "=" ( token / quoted-string ) ] )
//
// What is between the quotes must be a token, too.
func parseExtensions(fields []string) ([]extension, error) {
	var all []extension
	for _, field := range fields {
		p := listReader{field, 0}
		for {
			for p.skip(); p.take(','); p.skip() { // empty elements (RFC 9110 §5.6.1)
			}
			if p.at == len(p.s) {
				break
			}
			e, err := p.extension()
			if err != nil {
				return nil, fmt.Errorf("Sec-WebSocket-Extensions %.120q: %w (§9.1)", field, err)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// A listReader reads a header field from left to right.
type listReader struct {
	s  string
	at int
}

func (p *listReader) skip() {
	for p.at < len(p.s) && (p.s[p.at] == ' ' || p.s[p.at] == '\t') {
		p.at++
	}
}

func (p *listReader) take(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *listReader) token() string {
	from := p.at
	for p.at < len(p.s) && isTokenChar(p.s[p.at]) {
		p.at++
	}
	return p.s[from:p.at]
}

// isTokenChar reports whether c may be in a token (RFC 9110 §5.6.2).
func isTokenChar(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune("\"(),/:;<=>?@[\\]{}", rune(c))
}

func (p *listReader) extension() (e extension, err error) {
	if e.name = p.token(); e.name == "" {
		return e, fmt.Errorf("no name at %.20q", p.s[p.at:])
	}
	for {
		p.skip()
		if p.at == len(p.s) || p.s[p.at] == ',' {
			return e, nil
		}
		if !p.take(';') {
			return e, fmt.Errorf("%.20q behind %s is neither a parameter nor another extension", p.s[p.at:], e)
		}
		p.skip()
		q := param{name: p.token()}
		if q.name == "" {
			return e, fmt.Errorf("no parameter behind the semicolon at %.20q", p.s[p.at:])
		}
		p.skip()
		if p.take('=') {
			p.skip()
			q.valued = true
			if q.value, err = p.value(); err != nil {
				return e, err
			}
		}
		e.params = append(e.params, q)
	}
}

func (p *listReader) value() (string, error) {
	if !p.take('"') {
		v := p.token()
		if v == "" {
			return "", fmt.Errorf("no value behind the = at %.20q", p.s[p.at:])
		}
		return v, nil
	}
	var b strings.Builder
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		switch {
		case c == '"':
			inner := listReader{b.String(), 0}
			if inner.token() == "" || inner.at < len(inner.s) {
				return "", fmt.Errorf("the quoted value %q is no token", b.String())
			}
			return b.String(), nil
		case c == '\\' && p.at < len(p.s):
			b.WriteByte(p.s[p.at])
			p.at++
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("a quote that is not closed")
}

const deflateName = "permessage-deflate"

// deflateParams are the parameters of permessage-deflate in an offer or an answer
// (RFC 7692 §7.1). A window of 0 is one that is not spoken of.
type deflateParams struct {
	serverNoContext, clientNoContext bool
	serverBits, clientBits           int
	clientBitsAny                    bool // client_max_window_bits without a value
}

func (p deflateParams) String() string {
	e := extension{name: deflateName}
	flag := func(name string, on bool) {
		if on {
			e.params = append(e.params, param{name: name})
		}
	}
	bits := func(name string, n int) {
		if n != 0 {
			e.params = append(e.params, param{name, strconv.Itoa(n), true})
		}
	}
	flag("server_no_context_takeover", p.serverNoContext)
	flag("client_no_context_takeover", p.clientNoContext)
	bits("server_max_window_bits", p.serverBits)
	bits("client_max_window_bits", p.clientBits)
	flag("client_max_window_bits", p.clientBitsAny)
	return e.String()
}

// readDeflate reads an offer or an answer, whose client_max_window_bits must have a
// value (RFC 7692 §7.1.2.2). The error says which rule is broken.
func readDeflate(e extension, answer bool) (p deflateParams, err error) {
	seen := make(map[string]bool)
	for _, q := range e.params {
		name := strings.ToLower(q.name)
		if seen[name] {
			return p, fmt.Errorf("%s is there twice (RFC 7692 §7.1)", name)
		}
		seen[name] = true
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			if q.valued {
				return p, fmt.Errorf("%s has the value %q, and must have none (RFC 7692 §7.1.1)", name, q.value)
			}
			if name[0] == 's' {
				p.serverNoContext = true
			} else {
				p.clientNoContext = true
			}
		case "server_max_window_bits", "client_max_window_bits":
			if !q.valued && !answer && name[0] == 'c' {
				p.clientBitsAny = true
				continue
			}
			bits, ok := windowBits(q.value)
			if !ok {
				return p, fmt.Errorf("%s has the value %q, and must have one of 8 to 15 (RFC 7692 §7.1.2)", name, q.value)
			}
			if name[0] == 's' {
				p.serverBits = bits
			} else {
				p.clientBits = bits
			}
		default:
			return p, fmt.Errorf("%s has no parameter %q (RFC 7692 §7.1)", deflateName, q.name)
		}
	}
	return p, nil
}

// windowBits reads a decimal number of 8 to 15 without leading zeros (RFC 7692 §7.1.2).
func windowBits(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 8 && n <= 15 && strconv.Itoa(n) == s
}
