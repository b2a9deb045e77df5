//go:build unix

package sio

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/socketio"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A session that waits takes this much heap and stack, its client's end of the socket
// included, which is in this process, too. Most of it are the stack of the one goroutine
// that reads, and what the layers know of the client.
func TestIdleMemory(t *testing.T) {
	if wstest.RaceEnabled() {
		t.Skip("the race detector needs memory of its own")
	}
	for _, tt := range []struct {
		name  string
		limit uint64 // bytes for a session
		path  string
		say   []string // each when the server has said what is next in hear
		hear  []string
	}{
		{"Socket.IO", 18 << 10, "/socket.io/?EIO=4&transport=websocket", []string{"40", ""}, []string{"0{", `42["message"`}},
		{"native", 17 << 10, "/ws", []string{`{"type":"hello","name":"guest %d"}`, `{"type":"join","room":"lobby"}`}, []string{"", `"welcome"`, `"joined"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The memory of what has ended is used again, so each row has a process of
			// its own.
			const own = "FRAMEWRIGHT_TEST_IDLE_MEMORY"
			if os.Getenv(own) == "" {
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestIdleMemory$/^"+tt.name+"$", "-test.v")
				cmd.Env = append(os.Environ(), own+"=1")
				if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("bytes for each session")) {
					t.Errorf("%v\n%s", err, out)
				}
				return
			}
			addr := listen(t)
			number := 0
			visit := func(sessions int) {
				for range sessions {
					number++
					c, err := net.Dial("tcp", addr)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { c.Close() })
					c.SetDeadline(time.Now().Add(time.Minute))
					enter(t, c, addr, tt.path)
					for i, want := range tt.hear {
						hear(t, c, want)
						if i < len(tt.say) && tt.say[i] != "" {
							say(t, c, strings.ReplaceAll(tt.say[i], "%d", fmt.Sprint(number)))
						}
					}
				}
			}
			visit(100) // so that what is made once is there
			before := held()
			const sessions = 400
			visit(sessions)
			// Whatever else is running and has not ended counts too, so the least of
			// some measurements is nearest to what is meant.
			got := uint64(math.MaxUint64)
			for range 10 {
				if got = min(got, (max(held(), before)-before)/sessions); got <= tt.limit {
					break
				}
				runtime.Gosched()
			}
			t.Logf("%d bytes for each session", got)
			if got > tt.limit {
				t.Errorf("want at most %d", tt.limit)
			}
		})
	}
}

// listen serves a chat in both ways, and returns where.
func listen(t *testing.T) string {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	hub := chat.New(chat.Options{MaxPresence: 50, MaxSessionsPerAddress: -1})
	server, err := socketio.New(&socketio.Options{Recovery: &socketio.Recovery{Want: WantsRecovery}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	Attach(hub, server.Namespace, nil)
	native := wsnet.Handler(plain.Handler(hub, nil))
	native.Logger = quiet
	mux := http.NewServeMux()
	mux.Handle("/ws", native)
	mux.Handle("/socket.io/", server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: mux}
	go hs.Serve(l)
	t.Cleanup(func() { hs.Close() })
	return l.Addr().String()
}

// enter opens a WebSocket, and reads no further than the answer.
func enter(t *testing.T, c net.Conn, addr, path string) {
	t.Helper()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: a browser, which says a lot about itself\r\nAccept-Language: en\r\n\r\n", path, addr)
	r := bufio.NewReaderSize(oneByte{c}, 16)
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil || first && !strings.Contains(line, " 101 ") {
			t.Fatalf("%q, %v", line, err)
		}
		if line == "\r\n" {
			return
		}
	}
}

// oneByte reads so little that nothing is read too early.
type oneByte struct{ io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.Reader.Read(p[:1]) }

// say sends a text frame whose masking key is zero.
func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)); err != nil {
		t.Fatal(err)
	}
}

// hear reads frames until one has the text.
func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	for want != "" {
		var head [4]byte
		if _, err := io.ReadFull(c, head[:2]); err != nil {
			t.Fatalf("waiting for %s: %v", want, err)
		}
		n := int(head[1])
		if n == 126 {
			if _, err := io.ReadFull(c, head[2:]); err != nil {
				t.Fatal(err)
			}
			n = int(head[2])<<8 | int(head[3])
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(c, payload); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(payload, []byte(want)) {
			return
		}
	}
}

// held is how many bytes the heap and the stacks have.
func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
