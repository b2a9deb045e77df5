package lab

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"net/http"
	"strings"

	"framewright/ws"
)

// A Break is a violation for a learner: what a raw peer sends, and what the other end has
// to do. Each is played against the lab's echo, or against a client within the lab, in
// memory, and never against another host.
type Break struct {
	ID    string
	Group string // "frames", "text", "closing", "limits", "compression", "handshake"; two of a server's
	Title string
	About string // a hint, before one predicts

	request []byte
	answer  []byte // if the raw peer is a server
	deflate bool   // its client offers compression
	steps   [][]byte
	judged  bool // the byte with which it is decided can be told

	Rule    ws.RuleID
	Outcome string // "close 1002", "http 400", "refused": what the victim says last
}

// breakKey masks what the breaks send, so that their bytes are always the same.
var breakKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// fr is a masked frame; first is its first byte.
func fr(first byte, payload string) []byte {
	h := ws.Header{Fin: first&0x80 != 0, RSV: first >> 4 & 7, Opcode: ws.Opcode(first & 0x0F), Masked: true, Key: breakKey, Length: int64(len(payload))}
	return ws.AppendFrame(nil, h, []byte(payload))
}

// bs is bytes in hexadecimal, with spaces.
func bs(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err) // they stand in this file
	}
	return b
}

// breaks are all of them, in the order in which they are shown.
var breaks = append(makeBreaks(), serverBreaks()...)

func makeBreaks() []*Break {
	var all []*Break
	var group string
	add := func(id string, rule ws.RuleID, outcome, title, about string, steps ...[]byte) *Break {
		b := &Break{ID: id, Group: group, Title: title, About: about, steps: steps, Rule: rule, Outcome: outcome, judged: true}
		all = append(all, b)
		return b
	}
	group = "frames"
	add("unmasked", ws.RuleClientMasks, "close 1002", "A text without a mask", "A client masks every frame, even to a server that would not mind.", bs("81 05 48 65 6c 6c 6f"))
	add("rsv1", ws.RuleRSV, "close 1002", "RSV1, and no extension", "Nobody has agreed on compression.", fr(0xC1, "Hello"))
	add("rsv2", ws.RuleRSV, "close 1002", "RSV2", "No extension that there is uses this bit.", fr(0xA1, "Hello"))
	add("rsv3", ws.RuleRSV, "close 1002", "RSV3", "The last of the three.", fr(0x91, "Hello"))
	add("opcode-3", ws.RuleOpcode, "close 1002", "Opcode 3", "A kind of message that does not exist yet.", fr(0x83, "Hello"))
	add("opcode-b", ws.RuleOpcode, "close 1002", "Opcode b", "A control frame that does not exist yet.", fr(0x8B, ""))
	add("length-16", ws.RuleMinimalLength, "close 1002", "5 bytes, in 16 bits", "The length is right, and longer than it need be.", append(bs("81 fe 0005 37fa213d"), fr(0x81, "Hello")[6:]...))
	add("length-64", ws.RuleMinimalLength, "close 1002", "5 bytes, in 64 bits", "Ten bytes of header where two would do.", append(bs("81 ff 0000000000000005 37fa213d"), fr(0x81, "Hello")[6:]...))
	add("length-2-63", ws.RuleLengthTopBit, "close 1002", "2⁶³ bytes", "More than anybody has; one bit of the length must be 0.", bs("82 ff 8000000000000000 37fa213d"))
	add("ping-fragment", ws.RuleControlFin, "close 1002", "A ping in fragments", "FIN is 0 on a control frame.", fr(0x09, "p"))
	add("ping-126", ws.RuleControlLength, "close 1002", "A ping of 126 bytes", "One more than a control frame may have.", fr(0x89, strings.Repeat("p", 126)))
	add("orphan", ws.RuleContinuation, "close 1002", "A continuation of nothing", "No message has begun.", fr(0x80, "lo"))
	add("interleaved", ws.RuleInterleaved, "close 1002", "A text inside a text", "The first has not ended when the second begins.", fr(0x01, "Hel"), fr(0x81, "lo"))

	group = "text"
	add("bad-byte", ws.RuleTextUTF8, "close 1007", "A byte that no text has", "ff stands in the middle; what follows does not matter any more.", fr(0x81, "He\xffllo"))
	add("split-emoji", ws.RuleTextUTF8, "close 1007", "Three of four bytes of an emoji", "The message ends inside a character.", fr(0x81, "\xf0\x9f\x98"))
	add("bad-fragment", ws.RuleTextUTF8, "close 1007", "Half a character, and then another", "The first fragment alone is right: its character may go on.", fr(0x01, "\xf0\x9f"), fr(0x80, "lo"))
	add("surrogate", ws.RuleTextUTF8, "close 1007", "A surrogate", "U+D800 is half of a pair in UTF-16, and nothing in UTF-8.", fr(0x81, "\xed\xa0\x80"))
	add("overlong", ws.RuleTextUTF8, "close 1007", "A slash in two bytes", "The same character in more bytes than it takes has hidden many an attack.", fr(0x81, "\xc0\xaf"))
	add("too-high", ws.RuleTextUTF8, "close 1007", "Above U+10FFFF", "Unicode ends there.", fr(0x81, "\xf4\x90\x80\x80"))

	group = "closing"
	add("close-1005", ws.RuleCloseCode, "close 1002", "A Close with 1005", "1005 says that there was no code: it is never sent.", fr(0x88, "\x03\xed"))
	add("close-1006", ws.RuleCloseCode, "close 1002", "A Close with 1006", "1006 says that there was no Close frame.", fr(0x88, "\x03\xee"))
	add("close-999", ws.RuleCloseCode, "close 1002", "A Close with 999", "Codes begin at 1000.", fr(0x88, "\x03\xe7"))
	add("close-one-byte", ws.RuleCloseLength, "close 1002", "A Close of one byte", "A code takes two.", fr(0x88, "\x03"))
	add("close-reason", ws.RuleCloseUTF8, "close 1007", "A reason that is no text", "The code is right.", fr(0x88, "\x03\xe8\xff"))
	add("after-close", ws.RuleAfterClose, "close 1000", "A text behind a Close", "The other side has said that it is done. In one write, so that nobody is in between.", append(fr(0x88, "\x03\xe8"), fr(0x81, "late")...)).judged = false

	group = "limits"
	add("too-long", ws.RuleMessageSize, "close 1009", "64 KiB and a byte", "Only the header comes: it says enough.", bs("82 ff 0000000000010001 37fa213d")).judged = false
	add("fragments", ws.RuleFragments, "close 1008", "A thousand fragments and more", "Each is empty, and costs six bytes.", append(fr(0x01, ""), bytes.Repeat(fr(0x00, ""), 1500)...)).judged = false
	add("ping-flood", ws.RulePingRate, "close 1008", "500 pings at once", "A pong for each would keep a server busy.", bytes.Repeat(fr(0x89, ""), 500)).judged = false
	add("empty-flood", ws.RuleEmptyRate, "close 1008", "5,000 empty texts at once", "Messages without content cost their sender next to nothing.", bytes.Repeat(fr(0x81, ""), 5000)).judged = false

	group = "compression"
	deflated := func(b *Break) {
		b.request, b.judged = Handshake(OffersDeflate), false
	}
	deflated(add("rsv1-continuation", ws.RuleRSV1, "close 1002", "RSV1 on a continuation", "The first frame says whether a message is compressed, and no other.", fr(0x01, "Hel"), fr(0xC0, "lo")))
	deflated(add("rsv1-ping", ws.RuleRSV1, "close 1002", "RSV1 on a ping", "Control frames are never compressed.", fr(0xC9, "")))
	deflated(add("no-deflate", ws.RuleDeflate, "close 1007", "What is no DEFLATE", "A block of type 3, which does not exist (RFC 1951 §3.2.3).", fr(0xC1, "\x06")))
	deflated(add("too-far", ws.RuleDeflate, "close 1007", "A match from before the beginning", "“Repeat what stood one byte before”, and nothing stood there.", fr(0xC1, "\x03\x02\x00")))
	deflated(add("bomb", ws.RuleMessageSize, "close 1009", "A bomb", "A kilobyte that inflates to a megabyte of zeros.", fr(0xC2, bomb(1<<20))))

	group = "handshake"
	ask := func(id string, rule ws.RuleID, outcome, title, about, from, to string) {
		b := add(id, rule, outcome, title, about)
		b.request, b.judged = []byte(strings.Replace(string(Handshake()), from, to, 1)), false
	}
	ask("bad-key", ws.RuleKey, "http 400", "A key of 15 bytes", "It has to be 16, in base64.", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j")
	ask("version-8", ws.RuleVersion, "http 426", "Version 8", "A draft, as browsers had it before the RFC.", "Version: 13", "Version: 8")
	ask("post", ws.RuleMethod, "http 405", "POST", "A handshake asks for something.", "GET", "POST")
	ask("http-1-0", ws.RuleHTTPVersion, "http 400", "HTTP/1.0", "It knows no Upgrade.", "HTTP/1.1", "HTTP/1.0")
	ask("no-host", ws.RuleHost, "http 400", "Without a Host", "Which of its sites does the server answer for?", "Host: 127.0.0.1\r\n", "")
	ask("no-upgrade", ws.RuleUpgrade, "http 426", "Without Upgrade", "A request like any other.", "Upgrade: websocket\r\n", "")
	ask("no-connection", ws.RuleConnection, "http 426", "Connection: keep-alive", "Upgrade is for the next hop, which has to be told so.", "Connection: Upgrade", "Connection: keep-alive")
	ask("body", ws.RuleNoBody, "http 400", "With a body", "What stands behind the head are frames already.", "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc")
	ask("foreign-origin", ws.RuleOrigin, "http 403", "From another site's page", "The browser says which page it is; the page cannot change that.", "Host: 127.0.0.1", "Origin: https://evil.example\r\nHost: 127.0.0.1")
	ask("two-origins", ws.RuleOneOrigin, "http 403", "Two Origins", "Which of them is it?", "Host: 127.0.0.1", "Origin: http://127.0.0.1\r\nOrigin: https://evil.example\r\nHost: 127.0.0.1")
	ask("bad-extensions", ws.RuleExtensions, "http 400", "Extensions that are no list", "A semicolon with nothing behind it.", "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate;\r\n\r\n")
	return all
}

// bomb is so many zeros, compressed as a message is (RFC 7692 §7.2.1).
func bomb(n int) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err) // the level is one that there is
	}
	w.Write(make([]byte, n))
	w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// Experiment is what the raw peer does.
func (b *Break) Experiment() *Experiment {
	x := &Experiment{Request: b.request, Answer: b.answer, Deflate: b.deflate}
	for _, s := range b.steps {
		x.Steps = append(x.Steps, Step{Bytes: s})
	}
	return x
}

// JudgedAt is after how many bytes behind the handshake it is decided that a rule is
// broken; 0 if that cannot be told by the bytes alone.
func (b *Break) JudgedAt() int {
	if !b.judged {
		return 0
	}
	role := ws.RoleServer
	if b.answer != nil {
		role = ws.RoleClient
	}
	rx := ws.NewReceiver(role, ws.Limits{})
	var waiting []byte
	for i, c := range bytes.Join(b.steps, nil) {
		waiting = append(waiting, c)
		for {
			_, n, err := rx.Next(waiting)
			if err != nil {
				return i + 1
			}
			if waiting = waiting[n:]; n == 0 || len(waiting) == 0 {
				break
			}
		}
	}
	return 0
}

// findBreak is the break with an id.
func findBreak(id string) *Break {
	for _, b := range breaks {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// A shownBreak is what a page has of a break before it is played.
type shownBreak struct {
	ID      string   `json:"id"`
	Group   string   `json:"group"`
	Victim  string   `json:"victim"` // "server" or "client": who has to notice
	Title   string   `json:"title"`
	About   string   `json:"about"`
	Request string   `json:"request,omitempty"` // or answer, if it is the handshake that is broken
	Steps   []string `json:"steps"`             // hexadecimal; the beginning of what is long
	Bytes   int      `json:"bytes"`             // of all steps
	Judged  bool     `json:"judged"`
}

func (l *Lab) breaks(w http.ResponseWriter, r *http.Request) {
	all := make([]shownBreak, 0, len(breaks))
	for _, b := range breaks {
		s := shownBreak{ID: b.ID, Group: b.Group, Victim: b.victim(), Title: b.Title, About: b.About, Judged: b.judged, Steps: []string{}}
		if len(b.steps) == 0 {
			s.Request = string(b.request) + string(b.answer)
		}
		for _, step := range b.steps {
			s.Bytes += len(step)
			s.Steps = append(s.Steps, hex.EncodeToString(step[:min(len(step), 64)]))
		}
		all = append(all, s)
	}
	answerJSON(w, http.StatusOK, all)
}
