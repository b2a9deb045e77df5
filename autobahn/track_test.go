package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"framewright/autobahn/wsspec"
)

// Every step names cases that are there.
func TestTrackCases(t *testing.T) {
	for _, s := range track {
		if _, err := wsspec.Select(wsspec.Cases(), s.cases); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// A learner's server at several stages is told how far it is, and what fails next.
func TestTrack(t *testing.T) {
	for _, tc := range []struct {
		stage string
		serve func(net.Conn)
		want  []string
	}{
		{"an empty listener", nil, []string{"step 1 of 8, accept key: 1 of 1 cases fail", "next: 4.2.1/plain"}},
		{"texts up to 125 bytes, key and all", learner, []string{"accept key: reached", "one text frame: reached", "step 3 of 8, lengths: ", "cases fail", "126: two more bytes", "next: 1.", "again: "}},
	} {
		t.Run(tc.stage, func(t *testing.T) {
			code, out := command(t, "-track", "-patience", "1s", "-url", listenFor(t, tc.serve))
			if code != 1 {
				t.Errorf("the status is %d, want 1", code)
			}
			for _, want := range tc.want {
				if !strings.Contains(out, want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
		})
	}
	t.Run("a whole server", func(t *testing.T) {
		if code, out := command(t, "-track", "-url", echoServer(t)); code != 0 || !strings.Contains(out, "All steps are reached") {
			t.Errorf("the status is %d:\n%s", code, out)
		}
	})
	t.Run("without a URL", func(t *testing.T) {
		if code, out := command(t, "-track"); code != 2 || !strings.Contains(out, "-track needs the -url") {
			t.Errorf("the status is %d:\n%s", code, out)
		}
	})
}

// listenFor serves each connection; with nil it ends each at once.
func listenFor(t *testing.T, serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if serve != nil {
					serve(c)
				}
			}()
		}
	}()
	return "ws://" + l.Addr().String() + "/"
}

// learner is a server at its second step, as one writes it in ten minutes.
func learner(c net.Conn) {
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	for {
		var head [6]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		n := head[1] & 0x7f
		payload := make([]byte, n)
		if _, err := io.ReadFull(r, payload); err != nil || n > 125 {
			return
		}
		for i := range payload {
			payload[i] ^= head[2+i%4]
		}
		c.Write(append([]byte{head[0], n}, payload...))
		if head[0] == 0x88 {
			return
		}
	}
}

// The lab's page has the same steps in the same words.
func TestTrackPage(t *testing.T) {
	page, err := os.ReadFile("../lab/web/build.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range track {
		if want := "<li><strong>" + s.name + "</strong>: " + s.do + "</li>"; !strings.Contains(string(page), want) {
			t.Errorf("build.html has no %q", want)
		}
	}
}
