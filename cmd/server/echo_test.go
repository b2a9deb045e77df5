package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

func TestEcho(t *testing.T) {
	p := start(t, "echo", "-limit", "1000")
	c := dial(t, p.url+"/anything", &wsnet.DialOptions{Header: http.Header{"Origin": {"https://elsewhere.example"}}})
	for _, msg := range []string{"Hello", "", strings.Repeat("x", 1000)} {
		write(t, c, msg)
		if got := read(t, c); got != msg {
			t.Errorf("sent %d bytes, got %d", len(msg), len(got))
		}
	}
	write(t, c, strings.Repeat("x", 1001))
	wantClose(t, c, ws.CodeTooBig)
}

func TestEchoBroadcast(t *testing.T) {
	p := start(t, "echo", "-broadcast")
	var conns []*wsnet.Conn
	for range 5 {
		conns = append(conns, dial(t, p.url, nil))
	}
	// Who has its own message back is known to the broadcaster.
	for _, c := range conns {
		write(t, c, "here")
		for read(t, c) != "here" {
		}
	}
	write(t, conns[2], "to all")
	for _, c := range conns {
		for read(t, c) != "to all" {
		}
	}
}

// Frames of many connections at once must not run into each other.
func TestTraceToFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trace")
	p := start(t, "echo", "-trace="+name)
	var wg sync.WaitGroup
	for range 8 {
		c := dial(t, p.url, nil)
		wg.Go(func() {
			for range 50 {
				if err := c.Write(t.Context(), ws.OpText, []byte("Hello")); err != nil {
					t.Error(err)
				}
				if _, _, err := c.Read(t.Context()); err != nil {
					t.Error(err)
				}
			}
			c.Close(t.Context(), ws.CodeNormal, "")
		})
	}
	wg.Wait()
	p.end(t)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	hellos := 0
	for block := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
		if !strings.Contains(block, "FIN=") {
			continue // a handshake
		}
		if heads := strings.Count(block, "#"); heads != 1 || strings.Count(block, "FIN=") != 1 {
			t.Fatalf("a frame's lines are mixed with another's:\n%s", block)
		}
		if strings.Contains(block, `"Hello"`) {
			hellos++
		}
	}
	if want := 8 * 50 * 2; hellos != want {
		t.Errorf("%d frames with Hello, want %d", hellos, want)
	}
	if info, _ := os.Stat(name); info.Mode().Perm() != 0o600 {
		t.Errorf("what people write is in a file of mode %v", info.Mode())
	}
}

func TestTraceToStderr(t *testing.T) {
	p := start(t, "echo", "-trace")
	c := dial(t, p.url, nil)
	write(t, c, "Hello")
	read(t, c)
	c.Close(t.Context(), ws.CodeNormal, "")
	p.end(t)
	for _, part := range []string{"GET / HTTP/1.1", "101 Switching Protocols", "FIN=1", `"Hello"`, "(§5.2)"} {
		if !strings.Contains(p.stderr.String(), part) {
			t.Errorf("no %s in the trace", part)
		}
	}
}
