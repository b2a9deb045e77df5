package capture

import (
	"encoding/base64"
	"fmt"
	"time"

	"framewright/ws"
)

// A harLog is what counts of a HAR file: the requests that became WebSockets, and their
// messages, as Chromium's developer tools write them.
type harLog struct {
	Entries []struct {
		Request  struct{ URL string }
		Messages []struct {
			Type   string // "send" or "receive"
			Time   float64
			Opcode int
			Data   string // of a binary message in base64
		} `json:"_webSocketMessages"`
	}
}

const harRebuilt = "a HAR file has messages, inflated and without their frames: each is shown as the one frame that would carry it, a client's with the masking key 0"

// capture makes frames of the messages.
func (h *harLog) capture(l Limits) (*Capture, error) {
	c := &Capture{Format: HAR}
	for _, e := range h.Entries {
		if e.Messages == nil {
			continue
		}
		s := c.stream(short(e.Request.URL), l)
		if s == nil {
			break
		}
		s.Rebuilt = harRebuilt
		for i, m := range e.Messages {
			sent := m.Type == "send"
			if !sent && m.Type != "receive" {
				s.note("message %d is left out: its type is %q, \"send\" or \"receive\" is expected", i+1, short(m.Type))
				break
			}
			if m.Opcode < 0 || m.Opcode > 0xF {
				s.note("message %d is left out, and those behind it: opcode %d, 0 to 15 is expected", i+1, m.Opcode)
				break
			}
			data := []byte(m.Data)
			if op := ws.Opcode(m.Opcode); op != ws.OpText {
				var err error
				if data, err = base64.StdEncoding.DecodeString(m.Data); err != nil {
					s.note("message %d is left out, and those behind it: the data of a message that is not text is base64, and this is not", i+1)
					break
				}
			}
			header := ws.Header{Fin: true, Opcode: ws.Opcode(m.Opcode), Masked: sent}
			at := seconds(m.Time - e.Messages[0].Time)
			s.add(Piece{FromClient: sent, At: at, Data: ws.AppendFrame(nil, header, data)}, l)
		}
	}
	if len(c.Streams) == 0 {
		return nil, fmt.Errorf("no WebSocket among the %d requests of the HAR file: _webSocketMessages are expected, which Chromium's developer tools save with \"Export HAR\"", len(h.Entries))
	}
	return c, nil
}

// seconds is s of them, within what a Duration can be.
func seconds(s float64) time.Duration {
	const most = 1e9
	return time.Duration(max(0, min(s, most)) * float64(time.Second))
}
