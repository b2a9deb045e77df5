package plain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"framewright/chat"
	"framewright/ws"
)

// Subprotocol is what a client offers in Sec-WebSocket-Protocol, and a server
// should have in ws.Options.Subprotocols. A change that old clients would not
// survive gets another number.
const Subprotocol = "chat.v1.framewright"

// Close codes of this protocol, from the range that RFC 6455 §7.4.2 leaves to
// applications.
const (
	CloseKicked ws.Code = 4003 // do not come back by yourself
	CloseSlow   ws.Code = 4008 // you read too slowly: come back, and resume by cursor
)

// Options of [Handler]. A zero field has its default.
type Options struct {
	HelloTimeout time.Duration // from the handshake to an accepted hello; default 10 s
	BadRequests  int           // how many of CodeBadRequest before the last closes with 1008; default 5

	// Person says who a client is that says hello with this name and secret
	// ("" if it gave none). ctx is the connection's, so a ws.Server's Connect
	// can have put there what it knows. An [*chat.Error] goes to the client.
	// Default: [PersonFromSecret].
	Person func(ctx context.Context, name, secret string) (chat.Person, error)
}

// flushTimeout is how long a session that was ended may take to be sent what
// was queued for it before.
const flushTimeout = 3 * time.Second

// Handler returns a handler for a ws.Server: it serves the chat on each
// connection. o may be nil.
func Handler(hub *chat.Hub, o *Options) func(context.Context, *ws.Conn) error {
	h := &handler{hub: hub}
	if o != nil {
		h.o = *o
	}
	if h.o.HelloTimeout == 0 {
		h.o.HelloTimeout = 10 * time.Second
	}
	if h.o.BadRequests == 0 {
		h.o.BadRequests = 5
	}
	if h.o.Person == nil {
		h.o.Person = func(_ context.Context, name, secret string) (chat.Person, error) {
			return PersonFromSecret(name, secret)
		}
	}
	return h.serve
}

// PersonFromSecret makes a person's public ID from a secret that the client has
// made up and keeps: who has the secret is the same person again, on another
// connection or another day. No secret means somebody new. The error is an
// [*chat.Error] with CodeBadSecret.
func PersonFromSecret(name, secret string) (chat.Person, error) {
	if secret == "" {
		return chat.Person{Name: name}, nil
	}
	if len(secret) < 16 || len(secret) > 128 {
		return chat.Person{}, &chat.Error{Code: CodeBadSecret, Text: "a secret has 16 to 128 bytes, and should be random"}
	}
	sum := sha256.Sum256([]byte("framewright chat person\x00" + secret))
	return chat.Person{ID: hex.EncodeToString(sum[:12]), Name: name}, nil
}

type handler struct {
	hub *chat.Hub
	o   Options
}

// reader is the reading half of one connection.
type reader struct {
	h   *handler
	c   *ws.Conn
	buf []byte
	bad int // requests of CodeBadRequest so far
}

var errPanic = errors.New("chat/plain: a hook panicked")

func (h *handler) serve(ctx context.Context, c *ws.Conn) error {
	r := &reader{h: h, c: c}
	s, err := r.hello(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { write(ctx, c, s) })
	defer wg.Wait()
	defer s.Close(errPanic) // has an effect only if what follows panics
	err = r.requests(ctx, s)
	s.Close(departure(err))
	return err
}

// departure is why the session is over, as the Disconnected hook should hear
// it: nil if the client simply went.
func departure(err error) error {
	if ce, ok := errors.AsType[*ws.CloseError](err); ok && ce.Remote {
		switch ce.Code {
		case ws.CodeNormal, ws.CodeGoingAway, ws.CodeNoStatus:
			return nil
		}
	}
	return err
}

// hello reads until a hello is accepted, and connects its session. There is no
// queue yet: refusals are written from here.
func (r *reader) hello(ctx context.Context) (*chat.Session, error) {
	limit := r.h.o.HelloTimeout
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		req, err := r.read(ctx)
		var s *chat.Session
		switch {
		case err != nil:
		case req.Type != "hello":
			err = badRequest("the first request is a hello, not %.32q", req.Type)
		default:
			if s, err = r.connect(ctx, req); err == nil {
				return s, nil
			}
		}
		if errors.Is(err, context.DeadlineExceeded) && r.c.Err() == nil {
			return nil, &ws.CloseError{Code: ws.CodePolicyViolation, Reason: fmt.Sprintf("no hello within %v", limit)}
		}
		refusal, last := r.refusal(req, err)
		if refusal == nil {
			return nil, err
		}
		p, err := chat.NewEvent(*refusal).Packet(Codec{})
		if err != nil {
			return nil, err
		}
		if err := r.c.WritePrepared(ctx, p.Value.(*ws.Prepared)); err != nil {
			return nil, err
		}
		if last != nil {
			return nil, last
		}
	}
}

func (r *reader) connect(ctx context.Context, req request) (*chat.Session, error) {
	p, err := r.h.o.Person(ctx, req.Name, req.Secret)
	if err != nil {
		return nil, err
	}
	return r.h.hub.Connect(p, Codec{})
}

// requests serves the client's requests until the connection or the session is
// over; it never returns nil.
func (r *reader) requests(ctx context.Context, s *chat.Session) error {
	for {
		if err := s.Ready(ctx); err != nil {
			return err
		}
		req, err := r.read(ctx)
		if err == nil {
			err = r.request(s, req)
		}
		if err == nil {
			continue
		}
		refusal, last := r.refusal(req, err)
		if refusal == nil {
			return err
		}
		s.Emit(*refusal)
		if last != nil {
			return last
		}
	}
}

func (r *reader) request(s *chat.Session, req request) error {
	switch req.Type {
	case "send":
		return s.Send(req.Room, req.ID, req.Text)
	case "join":
		since, err := chat.ParseCursor(req.Since)
		if err != nil {
			since = chat.ForeignCursor
		}
		return s.Join(req.Room, since, req.ID)
	case "leave":
		return s.Leave(req.Room, req.ID)
	case "typing":
		return s.Typing(req.Room)
	case "hello":
		return badRequest("hello was said already; to change the name, connect again")
	}
	return badRequest("there is no request of type %.32q", req.Type)
}

// read returns the next request. Its error is an *chat.Error, a *ws.CloseError
// to end the connection with, or the connection's own.
func (r *reader) read(ctx context.Context) (request, error) {
	if cap(r.buf) > 4<<10 {
		r.buf = nil // an idle connection keeps little
	}
	op, data, err := r.c.ReadAppend(ctx, r.buf[:0])
	r.buf = data
	if err != nil {
		return request{}, err
	}
	if op != ws.OpText {
		return request{}, &ws.CloseError{Code: ws.CodeUnsupportedData, Reason: Subprotocol + " takes text messages only"}
	}
	return parse(data)
}

// refusal turns err into what the client gets to read, and, when its patience
// with this client is over, into the error to end the connection with. A nil
// refusal means that err is no refusal.
func (r *reader) refusal(req request, err error) (*chat.Refusal, error) {
	e, ok := errors.AsType[*chat.Error](err)
	if !ok {
		return nil, err
	}
	f := &chat.Refusal{Ref: req.ID, Code: e.Code, Text: e.Text}
	if e.Code != CodeBadRequest {
		return f, nil
	}
	if r.bad++; r.bad < r.h.o.BadRequests {
		return f, nil
	}
	return f, &ws.CloseError{Code: ws.CodePolicyViolation, Reason: fmt.Sprintf("%d bad requests", r.bad)}
}

// write sends what is queued for s, and closes the connection when s is over.
// It is the only one that writes after the hello.
func write(ctx context.Context, c *ws.Conn, s *chat.Session) {
	sendCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(s.Context(), func() {
		if errors.Is(s.Err(), chat.ErrSlow) {
			cancel() // a write that waits for this peer is not to be waited for
			return
		}
		time.AfterFunc(flushTimeout, cancel)
	})
	defer stop()
	for {
		p, err := s.Next(sendCtx)
		if err == nil {
			err = c.WritePrepared(sendCtx, p.Value.(*ws.Prepared))
		}
		if err != nil {
			if s.Err() != nil {
				err = s.Err()
			}
			code, reason := closing(err)
			c.Close(ctx, code, reason) // its error is the reader's, too
			return
		}
	}
}

// closing says with which code and reason a connection is closed whose session
// ended with err.
func closing(err error) (ws.Code, string) {
	if ce, ok := errors.AsType[*ws.CloseError](err); ok && ce.Code.MaySend() {
		return ce.Code, ce.Reason
	}
	switch {
	case errors.Is(err, chat.ErrSlow):
		return CloseSlow, "reads too slowly"
	case errors.Is(err, chat.ErrKicked):
		return CloseKicked, "removed by an operator"
	case errors.Is(err, chat.ErrShutdown):
		return ws.CodeGoingAway, "server is shutting down"
	case errors.Is(err, chat.ErrClosed):
		return ws.CodeNormal, ""
	}
	return ws.CodeInternalError, ""
}
