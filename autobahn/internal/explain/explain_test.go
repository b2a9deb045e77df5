package explain

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"framewright/autobahn/wsspec"
	"framewright/ws/wstest"
)

const (
	request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	answer  = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
)

func sent(b string) wsspec.Record { return wsspec.Record{Sent: true, Bytes: []byte(b), Size: len(b)} }
func came(b string) wsspec.Record { return wsspec.Record{Bytes: []byte(b), Size: len(b)} }
func note(s string) wsspec.Record { return wsspec.Record{At: 1500 * time.Microsecond, Note: s} }
func wire(s string) string        { return string(wstest.MustHex(s)) }

// cut is a record of which only the beginning was kept.
func cut(r wsspec.Record, kept int) wsspec.Record {
	r.Bytes = r.Bytes[:kept]
	return r
}

func TestWrite(t *testing.T) {
	big := wire("82 7e 0190") + strings.Repeat("x", 400)
	for _, tt := range []struct {
		name    string
		testee  wsspec.Role
		wire    []wsspec.Record
		leftOut int
		want    []string // in this order
		never   []string
	}{
		{"a conversation with a server", wsspec.Server,
			[]wsspec.Record{note("connected"), sent(request), came(answer + wire("81 02 | 'hi'")), sent(wire("88 80 | 00000000")), note("the testee: EOF")}, 0,
			[]string{"1.5 ms   -- connected", "> GET / HTTP/1.1\n", "< HTTP/1.1 101", "client receives text at offset 0, ready -> ready", `"hi"`, "client sends close at offset 0, ready -> closed", "-- the testee: EOF"}, nil},
		{"a conversation with a client", wsspec.Client,
			[]wsspec.Record{came(request), sent(answer), sent(wire("01 01 | 'a'")), sent(wire("80 01 | 'b'"))}, 0,
			[]string{"< GET /", "> HTTP/1.1 101", "server sends text at offset 0, ready -> in text", "server sends continuation at offset 3, in text -> ready"}, nil},
		{"byte by byte", wsspec.Client,
			[]wsspec.Record{came(request), sent(answer), sent("\x81"), sent("\x01"), sent("a")}, 0,
			[]string{"server sends text", "(in 3 pieces)"}, nil},
		{"a frame that never ends", wsspec.Server,
			[]wsspec.Record{sent(request), came(answer + wire("81 05 | 'he'"))}, 0,
			[]string{"of this the rest never came:", "< 81 05 68 65"}, []string{"receives text"}},
		{"a frame of which not all was kept", wsspec.Server,
			[]wsspec.Record{sent(request), came(answer), cut(came(big), 50), came(wire("8a 00"))}, 0,
			[]string{"receives binary at offset 0", "400 bytes)", "receives pong at offset 404"}, []string{"never came"}},
		{"a frame whose end comes with the next", wsspec.Server,
			[]wsspec.Record{sent(request), came(answer), cut(came(big[:300]), 50), came(big[300:] + wire("8a 00"))}, 0,
			[]string{"receives binary at offset 0", "receives pong at offset 404"}, []string{"never came"}},
		{"behind what was not kept", wsspec.Server,
			[]wsspec.Record{sent(request), came(answer), cut(came(big+wire("8a 00")), 50), came(wire("89 00"))}, 0,
			[]string{"receives binary", "< 89 00"}, []string{"receives ping"}},
		{"no WebSocket", wsspec.Server,
			[]wsspec.Record{sent(request), came("HTTP/1.1 404 Not Found\r\n\r\nwhat?")}, 0,
			[]string{"< HTTP/1.1 404", `"what?"`}, nil},
		{"no HTTP", wsspec.Server, []wsspec.Record{sent(request), came("SSH-2.0\r\n")}, 0,
			[]string{"the rest never came", `"SSH-2.0\r\n"`}, nil},
		{"a length with the top bit", wsspec.Client,
			[]wsspec.Record{came(request), sent(answer), sent(wire("82 7f 8000000000000000"))}, 0,
			[]string{"> 82 7f 80 00"}, nil},
		{"connected anew", wsspec.Server,
			[]wsspec.Record{note("connected"), sent("GET"), note("connected"), sent(request)}, 0,
			[]string{"never came", "> 47 45 54", "-- connected", "> GET / HTTP"}, nil},
		{"a middle left out", wsspec.Server,
			[]wsspec.Record{sent(request), came(answer), came("abc"), came("def")}, 7,
			[]string{"< HTTP/1.1 101", "7 pieces are left out here", `"abc"`, `"def"`}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, tt.testee, tt.wire, tt.leftOut); err != nil {
				t.Fatal(err)
			}
			rest := b.String()
			for _, want := range tt.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("no %q (in its place) in\n%s", want, &b)
				}
				rest = after
			}
			for _, never := range tt.never {
				if strings.Contains(b.String(), never) {
					t.Errorf("%q in\n%s", never, &b)
				}
			}
		})
	}
}

// Whatever went over the wire is written, and in bounded space.
func FuzzWrite(f *testing.F) {
	f.Add([]byte(request), []byte(answer+"\x81\x02hi\x82\x7f\xff"), uint16(9), true)
	f.Fuzz(func(t *testing.T, a, b []byte, kept uint16, server bool) {
		role := wsspec.Client
		if server {
			role = wsspec.Server
		}
		var records []wsspec.Record
		for len(a) > 0 || len(b) > 0 {
			n := min(len(a), int(kept)%97+1)
			records = append(records, wsspec.Record{Sent: true, Bytes: a[:n/2], Size: n})
			a = a[n:]
			n = min(len(b), int(kept)%31+1)
			records = append(records, wsspec.Record{Bytes: b[:n], Size: n})
			b = b[n:]
		}
		var out bytes.Buffer
		if err := Write(&out, role, records, 0); err != nil {
			t.Fatal(err)
		}
	})
}
