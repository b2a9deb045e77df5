package http1

import "strings"

// An Element is one of a list whose elements have parameters, as that of
// Sec-WebSocket-Extensions is (RFC 6455 §9.1).
type Element struct {
	Name   string
	Params []Param
}

// A Param is one of its parameters.
type Param struct {
	Name, Value string
	Valued      bool // there is a value
}

// ParseList reads the elements of all fields of one name, in order:
//
//	list      = 1#element
//	element   = token *( ";" parameter )
//	parameter = token [ "=" (token | quoted-string) ]
//
// The content of a quoted string must be a token as well.
func ParseList(values []string) (list []Element, ok bool) {
	for _, s := range values {
		for s = TrimOWS(s); s != ""; s = TrimOWS(s) {
			if s[0] == ',' { // an empty element of a list (RFC 9110 §5.6.1)
				s = s[1:]
				continue
			}
			var e Element
			if e.Name, s = cutToken(s); e.Name == "" {
				return nil, false
			}
			for s = TrimOWS(s); strings.HasPrefix(s, ";"); s = TrimOWS(s) {
				var p Param
				if p.Name, s = cutToken(TrimOWS(s[1:])); p.Name == "" {
					return nil, false
				}
				if s = TrimOWS(s); strings.HasPrefix(s, "=") {
					p.Valued = true
					if p.Value, s, ok = cutValue(TrimOWS(s[1:])); !ok {
						return nil, false
					}
				}
				e.Params = append(e.Params, p)
			}
			if s != "" && s[0] != ',' {
				return nil, false
			}
			list = append(list, e)
		}
	}
	return list, true
}

func cutToken(s string) (token, rest string) {
	i := 0
	for i < len(s) && isTokenByte(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest = cutToken(s)
		return value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			value = b.String()
			return value, s[i+1:], IsToken(value)
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
