package client

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"framewright/engineio"
)

// answers is a server without a network: each GET gets the next answer, and then waits.
type answers struct {
	gets  [][]byte
	n     atomic.Int32
	posts func(body []byte)
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := []byte("ok")
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if a.posts != nil {
			a.posts(body)
		}
	} else if n := int(a.n.Add(1)); n <= len(a.gets) {
		answer = a.gets[n-1]
	} else {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"text/plain"}, "Content-Length": {strconv.Itoa(len(answer))}},
		ContentLength: int64(len(answer)), Body: io.NopCloser(bytes.NewReader(answer)), Request: r,
	}, nil
}

// FuzzSession: whatever a server answers to the handshake and to the first GET, the
// client has the messages that are in it, in order, up to the first packet that ends the
// session; says why it ended, briefly; and leaves nothing.
func FuzzSession(f *testing.F) {
	for _, s := range [][2]string{
		{helloAlone, "4a\x1e4b\x1ebAQI=\x1e2\x1e6"}, {helloAlone + "\x1e4early", "1"}, {helloAlone, "4a\x1e1\x1e4b"}, {helloAlone, "b!"}, {helloAlone, helloAlone},
		{hello, "\x1e"}, {"0{}", "4"}, {"", ""}, {"0" + strings.Repeat("[", 100), "4"}, {helloAlone, strings.Repeat("6\x1e", 300) + "4x"},
		{strings.Replace(helloAlone, "1000", "1e3", 1), "2"}, {strings.Replace(helloAlone, "25000", "9007199254740992", 1), "4a"},
	} {
		f.Add([]byte(s[0]), []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, open, body []byte) {
		a := &answers{gets: [][]byte{open, body}, posts: func(body []byte) {
			for b := range bytes.SplitSeq(body, []byte{engineio.Separator}) {
				if p, err := engineio.ParsePacket(b); err != nil || p.Type != engineio.PacketPong && p.Type != engineio.PacketClose {
					t.Errorf("it posts %q: %v", body, err)
				}
			}
		}}
		c, err := Dial(t.Context(), "http://test", &Options{Transports: []string{engineio.Polling}, HTTPClient: &http.Client{Transport: a}})
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if c.silence < time.Minute/2 { // by the clock, anything may come first
			_ = c.Close()
			return
		}
		_, early, more := bytes.Cut(open, []byte{engineio.Separator})
		var payloads [][]byte
		if more && len(early) > 0 {
			payloads = append(payloads, early)
		}
		payloads = append(payloads, body)
		useless, pings := 0, 0
		over := false
		for _, payload := range payloads {
			for b := range bytes.SplitSeq(payload, []byte{engineio.Separator}) {
				p, err := engineio.ParsePacket(b)
				if over = err != nil || p.Type == engineio.PacketClose || p.Type == engineio.PacketOpen; over {
					break
				}
				switch p.Type {
				case engineio.PacketMessage:
					m, err := c.Receive(t.Context())
					if err != nil && useless+pings > 150 {
						over = true // a flood, by the clock
					} else if err != nil || m.Binary != p.Binary || !bytes.Equal(m.Data, p.Data) {
						t.Fatalf("%q, %v; want %q", m.Data, err, p.Data)
					}
				case engineio.PacketPing:
					pings++
				default:
					useless++
				}
				if over {
					break
				}
			}
			if over {
				break
			}
		}
		if !over && useless+pings > 150 {
			_ = c.Close()
			return
		}
		if over {
			m, err := c.Receive(t.Context())
			if e, ok := errors.AsType[*engineio.CloseError](err); !ok || len(e.Error()) > 2000 {
				t.Errorf("%q, %v after the end", m.Data, err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
