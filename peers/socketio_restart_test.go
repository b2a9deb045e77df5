package peers

import (
	"net"
	"strings"
	"testing"

	"framewright/peers/internal/install"
)

// TestSocketIORecoveryOverRestart has clients chat over a crash of the server, and over an orderly end.
// One that knows recovery, and asks for it, is who it was and gets what it has missed once;
// the others begin anew.
func TestSocketIORecoveryOverRestart(t *testing.T) {
	for _, pkg := range socketIOPackages {
		t.Run("node "+pkg, func(t *testing.T) {
			r := got(t, install.SocketIO(t.Context()))
			c := scriptIO(t, pkg, "node", "socketio/client.mjs", r.Path, pkg)
			c.recovers = pkg == "socket.io-client"
			restarts(t, c)
		})
	}
	t.Run("python-socketio", func(t *testing.T) {
		r := got(t, install.PythonSocketIO(t.Context()))
		c := scriptIO(t, "python-socketio", r.Path, "socketio/python/client.py", "sync")
		c.python = true
		restarts(t, c)
	})
}

func restarts(t *testing.T, c *ioClient) {
	server := buildServer(t)
	server.args = []string{"-data", t.TempDir()}
	server.start(t)
	auth := map[string]any{"name": "Ada"}
	if c.recovers {
		auth["recover"] = true
	}
	s := c.open(t, "s", strings.TrimSuffix(server.url(), "/"), "/", []string{"websocket"}, auth)
	sid := s.connected("at first").SID
	// message wants the next event but those about who is here to be this message.
	message := func(text string) {
		t.Helper()
		for {
			e := s.next(text, "connect_error", "disconnect")
			if e.Name == "presence" {
				continue
			}
			if e.Name != "message" || len(e.Args) == 0 || e.Args[0] != text {
				t.Fatalf("got %+v, want the message %s", e, text)
			}
			return
		}
	}
	message("Welcome, Ada.")
	public := server.addr
	for _, end := range []string{"a crash", "an orderly end"} {
		if end == "a crash" {
			server.kill()
		} else if err := server.terminate(t); err != nil {
			t.Fatal(err)
		}
		// Where the client does not find it, the server runs once more.
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server.addr = ln.Addr().String()
		_ = ln.Close()
		server.start(t)
		joins(t, server.url(), "who says it over "+end, "lobby").says("lobby", "missed over "+end)
		server.kill()
		server.addr = public
		server.start(t)
		if c.recovers {
			message("missed over " + end)
		}
		e := s.next("back", "connect_error", "disconnect")
		for e.Name == "presence" {
			e = s.next("back", "connect_error", "disconnect")
		}
		early := c.python && e.Event == "received" // it may tell of both in threads of their own
		for early && e.Event != "connect" {
			e = s.next("back", "connect_error", "disconnect")
		}
		if e.Event != "connect" || e.Recovered != c.recovers || (e.SID == sid) != c.recovers {
			t.Fatalf("got %+v, want it connected, recovered %t, as %s", e, c.recovers, sid)
		}
		if !c.recovers && !early {
			message("Welcome, Ada.")
		}
		s.emit("message", "said after "+end)
		message("said after " + end)
	}
}
