package wsnet

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"framewright/ws"
)

// acceptConnect answers an extended CONNECT over HTTP/2 (RFC 8441 §5). A ResponseWriter
// that can hijack gives up its stream then, as framewright/ws/wsh2 does; net/http's cannot.
func (x *httpExchange) acceptConnect(a *answer) (io.ReadWriteCloser, []byte, *ws.HandshakeError) {
	h := x.w.Header()
	if a.subprotocol != "" {
		h["Sec-Websocket-Protocol"] = []string{a.subprotocol}
	}
	if a.extensions != "" {
		h["Sec-Websocket-Extensions"] = []string{a.extensions}
	}
	x.w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(x.w)
	if err := rc.Flush(); err != nil {
		return nil, nil, &ws.HandshakeError{Detail: "answer not sent; middleware that wraps the ResponseWriter needs an Unwrap method", Err: err}
	}
	conn, rw, err := rc.Hijack()
	switch {
	case err == nil:
		return conn, early(rw.Reader), nil
	case !errors.Is(err, http.ErrNotSupported):
		return nil, nil, &ws.HandshakeError{Detail: "the stream was not given up", Err: err}
	}
	s := &handlerStream{w: x.w, rc: rc, body: x.r.Body, remote: x.r.RemoteAddr, left: make(chan struct{})}
	x.left = s.left
	return s, nil, nil
}

// A handlerStream is a stream of HTTP/2 that net/http keeps: it lasts as long as its
// handler does not return. It has no deadlines, since one that passes would reset the
// stream for good; newStream adds some.
type handlerStream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	body   io.ReadCloser
	remote string
	left   chan struct{} // closed when the handler may return

	writing sync.Mutex // a ResponseWriter panics when it is used after its handler
	closed  bool       // belongs to writing
	once    sync.Once
}

func (s *handlerStream) Read(p []byte) (int, error) { return s.body.Read(p) }

func (s *handlerStream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	n, err := s.w.Write(p)
	if err == nil {
		err = s.rc.Flush()
	}
	return n, err
}

// CloseWrite is Close: the handler that returns sends END_STREAM, and ends reading.
func (s *handlerStream) CloseWrite() error { return s.Close() }

func (s *handlerStream) Close() error {
	s.once.Do(func() {
		s.body.Close() // wakes a reader
		if !s.writing.TryLock() {
			s.rc.SetWriteDeadline(time.Now()) // wakes a writer, and resets the stream
			s.writing.Lock()
		}
		s.closed = true
		s.writing.Unlock()
		close(s.left)
	})
	return nil
}

// RemoteAddr is the address of the HTTP/2 connection's other end.
func (s *handlerStream) RemoteAddr() net.Addr { return textAddr(s.remote) }

// A textAddr is an address as net/http has it.
type textAddr string

func (a textAddr) Network() string { return "tcp" }
func (a textAddr) String() string  { return string(a) }
