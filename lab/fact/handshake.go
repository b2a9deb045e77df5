package fact

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"framewright/ws"
)

// A Line is one line of a handshake's head, and what it is for.
type Line struct {
	Text    string `json:"text"`
	Meaning string `json:"meaning,omitempty"`
	Section string `json:"section,omitempty"`
}

// Accept is how a key becomes what proves that the server has read it (§4.2.2): the key
// as it is and the protocol's own identifier behind it, the SHA-1 of that, in base64.
type Accept struct {
	Key    string `json:"key"`
	Joined string `json:"joined"`
	SHA1   string `json:"sha1"` // in hexadecimal
	Accept string `json:"accept"`
}

// lineMeanings are what the lines of a head are for, by the name of the field.
var lineMeanings = map[string]struct{ meaning, section string }{
	"host":                     {"the server that is meant: one address may serve several", "§4.1"},
	"upgrade":                  {"this connection is to speak another protocol from here on", "§4.1"},
	"connection":               {"Upgrade is for the next hop, and not to be passed on as it is", "§4.1"},
	"sec-websocket-key":        {"16 random bytes in base64, of which the answer must prove knowledge", "§4.1"},
	"sec-websocket-version":    {"13, the version of RFC 6455", "§4.1"},
	"sec-websocket-accept":     {"what follows from the key: no server that knows nothing of WebSocket answers so", "§4.2.2"},
	"sec-websocket-protocol":   {"subprotocols: what the messages mean, offered by the client, of which the server takes one", "§1.9"},
	"sec-websocket-extensions": {"extensions: offered by the client, agreed on in the answer, such as compression", "§9.1"},
	"origin":                   {"the site whose page connects: a browser says so, and no page can change it", "§10.2"},
	"cookie":                   {"what the browser knows from this site before, as with any request", "§4.1"},
}

// handshake adds what a head means.
func handshake(f *Fact) {
	first := true
	for l := range strings.Lines(f.Head) {
		l = strings.TrimRight(l, "\r\n")
		line := Line{Text: l}
		name, value, _ := strings.Cut(l, ":")
		m := lineMeanings[strings.ToLower(name)]
		line.Meaning, line.Section = m.meaning, m.section
		switch {
		case first && strings.HasPrefix(l, "HTTP/"):
			f.Title = "the answer to the opening handshake"
			line.Meaning, line.Section = "the status: 101 switches protocols, anything else is HTTP as ever", "§4.2.2"
		case first:
			f.Title = "the opening handshake: a GET request"
			line.Meaning, line.Section = "an HTTP request for this resource", "§4.1"
		case strings.EqualFold(name, "Sec-WebSocket-Key"):
			f.Accept = acceptOf(strings.TrimSpace(value))
		}
		first = false
		f.Lines = append(f.Lines, line)
	}
}

func acceptOf(key string) *Accept {
	a := ws.AcceptKey(key)
	sum, _ := base64.StdEncoding.DecodeString(a)
	return &Accept{Key: key, Joined: key + ws.KeyGUID, SHA1: hex.EncodeToString(sum), Accept: a}
}
