package inflate

import "fmt"

// Words say in a line what a message is made of: "5 literals and 2 matches, which copy 40
// bytes, 12 of them from earlier messages".
func (m *Message) Words() string {
	s := ""
	and := func(part string) {
		if s != "" {
			s += " and "
		}
		s += part
	}
	if m.Literals > 0 {
		and(count(m.Literals, "literal", "literals"))
	}
	if m.Stored > 0 {
		and(count(m.Stored, "byte", "bytes") + " stored as they are")
	}
	switch {
	case m.Matches == 1:
		and(fmt.Sprintf("1 match, which copies %d bytes", m.Copied))
	case m.Matches > 1:
		and(fmt.Sprintf("%d matches, which copy %d bytes", m.Matches, m.Copied))
	case s == "":
		return "nothing"
	}
	switch {
	case m.Earlier == 0:
	case m.Earlier == m.Copied:
		s += ", all of them from earlier messages"
	default:
		s += fmt.Sprintf(", %d of them from earlier messages", m.Earlier)
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
