package peers

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"framewright/peers/internal/install"
)

func TestNode(t *testing.T) { run(t, startNode(t)) }

func startNode(t *testing.T) *script {
	r := got(t, install.Node(t.Context()))
	return start(t, map[Ability]string{
		Unagreed: "ws's client refuses a server that picks none of its subprotocols",
	}, "node", "node/peer.mjs", r.Path)
}

func TestPython(t *testing.T) { run(t, startPython(t)) }

func startPython(t *testing.T) *script {
	r := got(t, install.Python(t.Context()))
	return start(t, map[Ability]string{
		EmptyClose: "websockets always sends a status",
	}, r.Path, "python/peer.py")
}

// got skips the test when a peer is not to be had, or fails it when it must be.
func got(t *testing.T, r install.Result) install.Result {
	t.Helper()
	t.Log(r)
	if r.State != install.Cannot {
		return r
	}
	if os.Getenv("PEERS_REQUIRED") == "1" {
		t.Fatalf("%s cannot be had: %s", r.Name, r.Detail)
	}
	t.Skipf("%s cannot be had: %s", r.Name, r.Detail)
	return r
}

// A script is a peer in a process of its own. See node/peer.mjs for what goes
// over its standard input and output.
type script struct {
	lacks map[Ability]string
	in    io.Writer

	mu       sync.Mutex
	n        int
	answers  map[int]chan scriptLine
	sessions map[string]*Session
	accepted map[string]chan *Session // by server
	dead     chan struct{}
}

// A scriptLine is anything that a script says.
type scriptLine struct {
	N         int    `json:"n"`
	Server    string `json:"server"`
	Conn      string `json:"conn"`
	Port      int    `json:"port"`
	Protocol  string `json:"protocol"`
	Extension string `json:"extensions"`
	Event
}

func (l scriptLine) problem() string { return l.Err }

// start starts a script; it ends with the test.
func start(t *testing.T, lacks map[Ability]string, program string, args ...string) *script {
	t.Helper()
	cmd, in, out := startProgram(t, program, args...)
	p := &script{
		lacks: lacks, in: in, answers: map[int]chan scriptLine{}, sessions: map[string]*Session{},
		accepted: map[string]chan *Session{}, dead: make(chan struct{}),
	}
	go func() {
		defer close(p.dead)
		hearLines(t, program, out, p.hear)
	}()
	t.Cleanup(func() {
		_ = in.Close() // both scripts end when their input does
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		select {
		case <-p.dead:
		case <-ctx.Done():
			t.Errorf("%s did not end when its standard input did", program)
		}
		killGroup(cmd)
		_ = cmd.Wait()
	})
	return p
}

// hear hands a line to whom it concerns.
func (p *script) hear(l scriptLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case l.N != 0:
		p.answers[l.N] <- l // has room for one
		delete(p.answers, l.N)
	case l.Event.Event == "open":
		s := p.session(l.Conn)
		s.Protocol, s.Extension = l.Protocol, l.Extension
		p.accepted[l.Server] <- s
	default:
		p.session(l.Conn).report(l.Event)
	}
}

// session returns the session called conn, a new one the first time: an event
// may come before the answer that names the connection.
func (p *script) session(conn string) *Session {
	s := p.sessions[conn]
	if s == nil {
		s = newSession()
		s.Do = func(ctx context.Context, a Action) error {
			_, err := p.ask(ctx, "act", map[string]any{"conn": conn, "action": a})
			return err
		}
		p.sessions[conn] = s
	}
	return s
}

// ask sends a command and waits for its answer.
func (p *script) ask(ctx context.Context, command string, args map[string]any) (scriptLine, error) {
	answer := make(chan scriptLine, 1)
	p.mu.Lock()
	p.n++
	args["n"], args["command"] = p.n, command
	p.answers[p.n] = answer
	err := tellLine(p.in, args)
	p.mu.Unlock()
	if err != nil {
		return scriptLine{}, err
	}
	return answerTo(ctx, command, answer, p.dead)
}

// drop lets the script forget a server or a connection.
func (p *script) drop(t *testing.T, what, name string) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := p.ask(ctx, "drop", map[string]any{what: name}); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
}

func (o Options) script() map[string]any {
	args := map[string]any{"limit": o.limit(), "protocols": o.Protocols}
	if o.Deflate != nil {
		args["deflate"] = o.Deflate
	}
	if o.TLS != nil {
		args["cert"], args["key"] = o.TLS.certFile, o.TLS.keyFile
	}
	if o.Greeting != nil {
		args["greeting"] = o.Greeting
	}
	return args
}

func (p *script) Lacks() map[Ability]string { return p.lacks }

func (p *script) Listen(t *testing.T, o Options) *Listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := p.ask(ctx, "listen", o.script())
	if err != nil {
		t.Fatalf("the peer cannot serve: %v", err)
	}
	accepted := make(chan *Session, 16)
	p.mu.Lock()
	p.accepted[l.Server] = accepted
	p.mu.Unlock()
	p.drop(t, "server", l.Server)
	scheme := "ws"
	if o.TLS != nil {
		scheme = "wss"
	}
	return &Listener{URL: fmt.Sprintf("%s://127.0.0.1:%d/ws", scheme, l.Port), Accepted: accepted}
}

func (p *script) Dial(t *testing.T, url string, o Options) (*Session, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args := o.script()
	args["url"] = url
	l, err := p.ask(ctx, "dial", args)
	if err != nil {
		return nil, err
	}
	p.drop(t, "conn", l.Conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.session(l.Conn)
	s.Protocol, s.Extension = l.Protocol, l.Extension
	return s, nil
}
