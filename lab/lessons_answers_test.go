package lab

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// The answers to all exercises, in the order of the lessons, worked out by the code that
// speaks the protocol: by the lab's own dialogues, by package ws, or by the chat.
func TestLessonsAnswers(t *testing.T) {
	work := [][3]func(*testing.T) string{
		{statusOfUpgrade, bytesAddedByServer, bytesAddedByClient},
		{keyBytes, version, func(*testing.T) string { return ws.AcceptKey("dGhlIHNhbXBsZSBub25jZQ==") }},
		{first(ws.Header{Fin: true, Opcode: ws.OpBinary}), headerOf300, longestShort},
		{func(*testing.T) string { return underKey(0, 0x48) }, func(*testing.T) string { return underKey(4, 0x58) }, unmaskedCosts},
		{first(ws.Header{Opcode: ws.OpContinuation}), longestPing, pongOf6162},
		{notText, isC3Valid, lengthOfE2},
		{goingAway, codeOfLoss, longestReason},
		{bitOfCompression, leftOut, first(ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpBinary})},
		{answerToHello, fieldOfJoin, fieldOfSend},
	}
	if len(work) != len(lessons) {
		t.Fatalf("answers of %d lessons, there are %d", len(work), len(lessons))
	}
	for i, l := range lessons {
		for k, f := range work[i] {
			t.Run(fmt.Sprintf("lesson %d exercise %d", i+1, k+1), func(t *testing.T) {
				if got := f(t); l.Do[k].Answers[0] != got {
					t.Errorf("%s\nthe lesson's answer is %s, the code says %s", l.Do[k].Ask, l.Do[k].Answers[0], got)
				}
			})
		}
	}
	names := map[string]string{"0": "00", "two": "2", "three": "3", "six": "6"}
	for _, l := range lessons {
		for _, x := range l.Do {
			for _, other := range x.Answers[1:] {
				if names[other] != x.Answers[0] {
					t.Errorf("%s\n%q is another answer than %q", x.Ask, other, x.Answers[0])
				}
			}
		}
	}
}

// played is what came of an experiment.
func played(t *testing.T, x *Experiment) *Dialogue {
	t.Helper()
	d, err := x.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// says plays frames of a client's.
func says(t *testing.T, frames ...[]byte) *Dialogue {
	t.Helper()
	return played(t, &Experiment{Steps: []Step{{Bytes: bytes.Join(frames, nil)}}})
}

// asked plays an opening handshake, and returns the status of its answer.
func asked(t *testing.T, request []byte) string {
	t.Helper()
	for _, m := range played(t, &Experiment{Request: request}).Moments {
		if m.Event.Sent {
			return strings.Fields(m.Event.Handshake)[1]
		}
	}
	return ""
}

// code is that of a dialogue which ends with a Close.
func code(d *Dialogue) string { return strings.TrimPrefix(d.Outcome, "close ") }

// only is the one number below n that will do.
func only(t *testing.T, n int, does func(int) bool) string {
	t.Helper()
	found := []int{}
	for i := range n {
		if does(i) {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%v will do, want one", found)
	}
	return fmt.Sprint(found[0])
}

// most is the last number below n that will do; all before it do, and none behind it.
func most(t *testing.T, n int, does func(int) bool) string {
	t.Helper()
	i := 0
	for i < n && does(i) {
		i++
	}
	for k := i; k < n; k++ {
		if does(k) {
			t.Fatalf("%d will not do, but %d will", i, k)
		}
	}
	return fmt.Sprint(i - 1)
}

func statusOfUpgrade(t *testing.T) string { return asked(t, Handshake()) }

func bytesAddedByServer(t *testing.T) string {
	d := says(t, fr(0x81, "Hello"))
	return fmt.Sprint(len(d.Pieces[len(d.Pieces)-1].Data) - len("Hello"))
}

func bytesAddedByClient(t *testing.T) string {
	frame := fr(0x81, "Hello")
	if says(t, frame).Outcome != "text" {
		t.Error("what a client sends is not understood")
	}
	return fmt.Sprint(len(frame) - len("Hello"))
}

func keyBytes(t *testing.T) string {
	return only(t, 40, func(n int) bool {
		key := base64.StdEncoding.EncodeToString(make([]byte, n))
		return asked(t, []byte(strings.Replace(string(Handshake()), "dGhlIHNhbXBsZSBub25jZQ==", key, 1))) == "101"
	})
}

func version(t *testing.T) string {
	return only(t, 20, func(n int) bool {
		return asked(t, []byte(strings.Replace(string(Handshake()), "Version: 13", fmt.Sprint("Version: ", n), 1))) == "101"
	})
}

// first is the first byte of a header.
func first(h ws.Header) func(*testing.T) string {
	return func(*testing.T) string { return hex.EncodeToString(ws.AppendHeader(nil, h)[:1]) }
}

func headerOf300(*testing.T) string {
	return hex.EncodeToString(ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: ws.OpText, Length: 300}))
}

func longestShort(t *testing.T) string {
	return most(t, 300, func(n int) bool {
		return len(ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: ws.OpText, Length: int64(n)})) == 2
	})
}

func underKey(at int, b byte) string {
	under := []byte{b}
	ws.Mask(under, [4]byte{0x37, 0xfa, 0x21, 0x3d}, at)
	return hex.EncodeToString(under)
}

func unmaskedCosts(t *testing.T) string { return code(says(t, bs("81 05 48656c6c6f"))) }

func longestPing(t *testing.T) string {
	return most(t, 300, func(n int) bool {
		rx := ws.NewReceiver(ws.RoleServer, ws.Limits{})
		_, _, err := rx.Next(fr(0x89, strings.Repeat("p", n)))
		return err == nil
	})
}

func pongOf6162(t *testing.T) string {
	d := says(t, fr(0x89, "ab"))
	last := d.Moments[len(d.Moments)-1].Event
	if last.Header.Opcode != ws.OpPong {
		t.Fatalf("a ping is answered by %v", last.Header.Opcode)
	}
	return hex.EncodeToString(last.Payload)
}

func notText(t *testing.T) string { return code(says(t, fr(0x81, "He\xffllo"))) }

func isC3Valid(t *testing.T) string {
	if ws.ValidText([]byte{0xc3}) || says(t, fr(0x81, "\xc3")).Outcome == "text" {
		return "yes"
	}
	return "no"
}

func lengthOfE2(t *testing.T) string {
	return only(t, 8, func(n int) bool {
		return n > 0 && ws.ValidText(append([]byte{0xe2}, bytes.Repeat([]byte{0x82}, n-1)...))
	})
}

func goingAway(*testing.T) string {
	return hex.EncodeToString(ws.AppendClose(nil, ws.CodeGoingAway, ""))
}

func codeOfLoss(t *testing.T) string {
	client, server := wstest.Pipe()
	told := make(chan ws.Code)
	go func() {
		c, err := wsnet.AcceptStream(context.Background(), server, nil)
		if err == nil {
			_, _, err = c.Read(context.Background())
		}
		told <- ws.CloseStatus(err)
	}()
	peer := wstest.NewPeer(t, client)
	peer.Upgrade()
	client.Close()
	return fmt.Sprint(int(<-told))
}

func longestReason(t *testing.T) string {
	return most(t, 130, func(n int) bool {
		rx := ws.NewReceiver(ws.RoleServer, ws.Limits{})
		_, _, err := rx.Next(fr(0x88, "\x03\xe8"+strings.Repeat("r", n)))
		return err == nil
	})
}

func bitOfCompression(t *testing.T) string {
	bit := only(t, 4, func(n int) bool { // RSV1 is the leftmost of three
		frame := fr(0x81|byte(8>>n)<<4, "\xf2\x48\xcd\xc9\xc9\x07\x00")
		d := played(t, &Experiment{Request: Handshake(OffersDeflate), Steps: []Step{{Bytes: frame}}})
		return n > 0 && d.Outcome == "text" && string(d.Moments[len(d.Moments)-2].Event.Content) == "Hello"
	})
	return "rsv" + bit
}

// leftOut is what a compressor ends with when it is flushed, and the wire does not have.
func leftOut(t *testing.T) string {
	var whole bytes.Buffer
	w, err := flate.NewWriter(&whole, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("Hello"))
	w.Flush()
	end := whole.Bytes()[whole.Len()-4:]
	frame := fr(0xC1, string(whole.Bytes()[:whole.Len()-4]))
	d := played(t, &Experiment{Request: Handshake(OffersDeflate), Steps: []Step{{Bytes: frame}}})
	if d.Outcome != "text" {
		t.Errorf("without its end the message is not understood: %s", d.Outcome)
	}
	return hex.EncodeToString(end)
}

// chats is somebody who says hello to the chat. What it returns says a request, and
// returns the event that answers it; welcome is the first.
func chats(t *testing.T) (welcome map[string]any, say func(request, answer string) map[string]any) {
	t.Helper()
	hub := chat.New(chat.Options{PresenceGrace: -1})
	srv := wsnet.Handler(plain.Handler(hub, nil))
	srv.Options.Subprotocols = []string{plain.Subprotocol}
	s := httptest.NewServer(srv)
	t.Cleanup(func() {
		srv.Shutdown(context.Background())
		hub.Close()
		s.Close()
	})
	o := &wsnet.DialOptions{}
	o.Subprotocols = []string{plain.Subprotocol}
	c, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	say = func(request, answer string) map[string]any {
		t.Helper()
		if err := c.Write(t.Context(), ws.OpText, []byte(request)); err != nil {
			t.Fatal(err)
		}
		for {
			_, data, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if e := object(t, data); answer == "" || e["type"] == answer {
				return e
			}
		}
	}
	return say(`{"type":"hello","name":"Learner"}`, ""), say
}

func object(t *testing.T, data []byte) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func answerToHello(t *testing.T) string {
	welcome, _ := chats(t)
	return fmt.Sprint(welcome["type"])
}

const (
	joins = `{"type":"join","room":"lesson","id":"j"}`
	sends = `{"type":"send","room":"lesson","id":"m1","text":"one"}`
)

// fieldOfJoin is the one with which what was missed comes back, and nothing else.
func fieldOfJoin(t *testing.T) string {
	return oneOf(t, []string{"since", "before", "cursor", "after", "from"}, func(field string) bool {
		_, say := chats(t)
		say(joins, "joined")
		cursor := say(sends, "ack")["cursor"]
		say(strings.Replace(sends, "m1", "m2", 1), "ack")
		b, _ := json.Marshal(map[string]any{"type": "join", "room": "lesson", "id": "j", field: cursor})
		missed, _ := say(string(b), "joined")["messages"].([]any)
		return len(missed) == 1
	})
}

// fieldOfSend is the one by which a line that comes again is known: the room has it once.
func fieldOfSend(t *testing.T) string {
	return oneOf(t, []string{"id", "text"}, func(same string) bool {
		_, say := chats(t)
		say(joins, "joined")
		again := map[string]string{"type": "send", "room": "lesson", "id": "m2", "text": "two"}
		again[same] = map[string]string{"id": "m1", "text": "one"}[same]
		b, _ := json.Marshal(again)
		return say(sends, "ack")["cursor"] == say(string(b), "ack")["cursor"]
	})
}

func oneOf(t *testing.T, names []string, does func(string) bool) string {
	t.Helper()
	i := only(t, len(names), func(i int) bool { return does(names[i]) })
	var n int
	fmt.Sscan(i, &n)
	return names[n]
}
