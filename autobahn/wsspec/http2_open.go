package wsspec

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Over HTTP/2 a dialogue's heads stay those of HTTP/1.1, which all cases are written in
// and the record shows: they are translated as RFC 8441 §5 says. What a handshake over
// HTTP/2 must not have, such as an Upgrade, is looked for here.

// overH2 is dialH2, which closes nc if that fails, and says why if TLS has another idea.
func overH2(ctx context.Context, nc net.Conn, cut bool) (net.Conn, error) {
	if c, ok := nc.(*tls.Conn); ok && c.ConnectionState().NegotiatedProtocol != "h2" {
		nc.Close()
		return nil, errors.New("it does not take h2 in ALPN (RFC 9113 §3.2)")
	}
	return dialH2(ctx, nc, cut)
}

// dialH2 speaks HTTP/2 on nc, as a client, and returns a stream for one request.
func dialH2(ctx context.Context, nc net.Conn, cut bool) (net.Conn, error) {
	s := newH2Session(nc, false, cut)
	s.start()
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	s.mu.Lock()
	for !s.settled && s.err == nil {
		s.changed.Wait()
	}
	err, connect := s.err, s.connect
	s.mu.Unlock()
	switch {
	case err != nil:
		err = fmt.Errorf("it does not speak HTTP/2: %w", err)
	case !connect: // "a client MUST NOT use" it (RFC 8441 §3)
		err = errors.New("its SETTINGS have no SETTINGS_ENABLE_CONNECT_PROTOCOL of 1: it takes no WebSocket over HTTP/2 (RFC 8441 §3)")
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &h2Stream{s: s, only: true, window: s.initial}, nil
}

// sendHead sends a head of HTTP/1.1 that the suite has written. It has mu.
func (st *h2Stream) sendHead(h Head) {
	s := st.s
	words := strings.Fields(h.First + " ? ?")
	var fields []hpack.HeaderField
	if s.server {
		status := words[1]
		if status == "101" {
			status = "200"
		}
		fields = []hpack.HeaderField{{Name: ":status", Value: status}}
	} else {
		scheme := "http"
		if _, ok := s.nc.(*tls.Conn); ok {
			scheme = "https"
		}
		st.id, st.key = s.next, h.Get("Sec-WebSocket-Key")
		s.next += 2
		s.streams[st.id] = st
		st.window = s.initial
		fields = []hpack.HeaderField{{Name: ":method", Value: "CONNECT"}, {Name: ":protocol", Value: "websocket"}, {Name: ":scheme", Value: scheme},
			{Name: ":path", Value: words[1]}, {Name: ":authority", Value: h.Get("Host")}}
	}
	for _, f := range h.Lines {
		switch name := strings.ToLower(f.Name); name {
		case "host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-accept", "transfer-encoding":
		default:
			fields = append(fields, hpack.HeaderField{Name: name, Value: f.Value})
		}
	}
	s.send(st.id, false, fields)
}

// alien are the fields of HTTP/1.1's handshake that there is no use for here.
var alien = []string{"connection", "upgrade", "sec-websocket-accept", "sec-websocket-key", "transfer-encoding"}

// headOf appends the fields that are no pseudo-headers to a head; wrong is what may not
// be among them.
func headOf(head *strings.Builder, f *http2.MetaHeadersFrame) (wrong string) {
	for _, field := range f.RegularFields() {
		for _, name := range alien {
			if field.Name == name {
				wrong = name + " in a handshake over HTTP/2 (RFC 8441 §5)"
			}
		}
		fmt.Fprintf(head, "%s: %s\r\n", field.Name, field.Value)
	}
	head.WriteString("\r\n")
	return wrong
}

// answered takes a server's answer. It has the session's mu.
func (st *h2Stream) answered(f *http2.MetaHeadersFrame) {
	status := f.PseudoValue("status")
	var head strings.Builder
	switch {
	case len(status) == 3 && status[0] == '1' && status != "101":
		return // a final one follows
	case status == "200":
		fmt.Fprintf(&head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", AcceptFor(st.key))
	default:
		fmt.Fprintf(&head, "HTTP/1.1 %s over HTTP/2\r\n", strings.Replace(status, "101", "500", 1)) // there is no 101 (RFC 9113 §8.6)
	}
	if wrong := headOf(&head, f); wrong != "" && status == "200" {
		st.inErr = errors.New("the answer has " + wrong)
		return
	}
	st.in.WriteString(head.String())
	st.endIf(f.StreamEnded())
}

// requestOf is a client's extended CONNECT as a request of HTTP/1.1, or what is wrong
// with it (RFC 8441 §4, §5).
func requestOf(f *http2.MetaHeadersFrame) (request []byte, wrong string) {
	if m, p := f.PseudoValue("method"), f.PseudoValue("protocol"); m != "CONNECT" || p != "websocket" {
		return nil, fmt.Sprintf(":method %q and :protocol %q; want CONNECT and websocket", m, p)
	}
	for _, name := range []string{"scheme", "path", "authority"} {
		if f.PseudoValue(name) == "" {
			return nil, "no :" + name
		}
	}
	if f.StreamEnded() {
		return nil, "the request ends its stream"
	}
	var head strings.Builder
	fmt.Fprintf(&head, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n", f.PseudoValue("path"), f.PseudoValue("authority"), NewKey())
	wrong = headOf(&head, f)
	return []byte(head.String()), wrong
}

// An h2Listener hands out the streams of the connections that a listener accepts.
type h2Listener struct {
	net.Listener
	cut     bool
	streams chan net.Conn
	done    chan struct{}
	err     error // of the listener's Accept, once done is closed

	mu       sync.Mutex
	sessions map[*h2Session]struct{}
	all      sync.WaitGroup
}

func listenH2(l net.Listener, cut bool) *h2Listener {
	hl := &h2Listener{Listener: l, cut: cut, streams: make(chan net.Conn), done: make(chan struct{}), sessions: map[*h2Session]struct{}{}}
	go hl.acceptAll()
	return hl
}

func (l *h2Listener) acceptAll() {
	defer close(l.done)
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			l.err = err
			return
		}
		s := newH2Session(nc, true, l.cut)
		s.arrive = func(st *h2Stream) error {
			l.all.Go(func() {
				select {
				case l.streams <- st:
				case <-l.done:
					st.Close()
				}
			})
			return nil
		}
		l.mu.Lock()
		l.sessions[s] = struct{}{}
		l.mu.Unlock()
		s.start()
		l.all.Go(func() {
			<-s.read
			s.close()
			l.mu.Lock()
			delete(l.sessions, s)
			l.mu.Unlock()
		})
	}
}

func (l *h2Listener) Accept() (net.Conn, error) {
	select {
	case st := <-l.streams:
		return st, nil
	case <-l.done:
		return nil, l.err
	}
}

// Close closes the listener and all connections.
func (l *h2Listener) Close() error {
	err := l.Listener.Close()
	<-l.done
	l.mu.Lock()
	for s := range l.sessions {
		s.nc.Close()
	}
	l.mu.Unlock()
	l.all.Wait()
	return err
}
