package plain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"framewright/chat"
	"framewright/internal/address"
	"framewright/internal/tokens"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Subprotocol is what a client offers in Sec-WebSocket-Protocol, and a server
// should have in wsnet.Options.Subprotocols. A change that old clients would not
// survive gets another number.
const Subprotocol = "chat.v1.framewright"

// Close codes of this protocol, from the range that RFC 6455 §7.4.2 leaves to
// applications.
const (
	CloseExpired ws.Code = 4001 // get another token, then come back
	CloseKicked  ws.Code = 4003 // do not come back by yourself
	CloseSlow    ws.Code = 4008 // you read too slowly: come back, and resume by cursor
)

// Options of [Handler]. A zero field has its default.
type Options struct {
	HelloTimeout time.Duration // from the handshake to an accepted hello; default 10 s
	BadRequests  int           // how many of CodeBadRequest before the last closes with 1008; default 5

	// ByteRate is how many bytes a second of messages one connection may send in
	// the long run, and AddressByteRate all from one address together, each
	// message counting 64 more. Ten seconds' worth may come at once. A client that
	// sends more is held up, before anything is parsed: it is not read from until
	// its time has come. 256 KiB and 2 MiB by default, no limit below 0.
	ByteRate        int
	AddressByteRate int

	// RestartCode is what a session closes with that [chat.Hub.Drain] ended:
	// 1012 by default; 1001 (going away) is the other that fits.
	RestartCode ws.Code

	// Address says where a client comes from, for the hub's limit on sessions
	// from one address, and for AddressByteRate. Default: the connection's remote address without its
	// port; behind a proxy the program knows better. Empty is not counted.
	Address func(ctx context.Context, c *wsnet.Conn) string

	// Admitted, if not nil, is told which session a connection carries, so
	// that a program's log can name both.
	Admitted func(ctx context.Context, c *wsnet.Conn, s *chat.Session)
}

// Handler returns a handler for a wsnet.Server: it serves the chat on each
// connection. o may be nil.
func Handler(hub *chat.Hub, o *Options) func(context.Context, *wsnet.Conn) error {
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
	h.o.ByteRate = cmp.Or(h.o.ByteRate, 256<<10)
	h.addresses.Rate = tokens.PerSecond(cmp.Or(h.o.AddressByteRate, 2<<20))
	if h.o.RestartCode == 0 {
		h.o.RestartCode = ws.CodeServiceRestart
	}
	if h.o.Address == nil {
		h.o.Address = func(_ context.Context, c *wsnet.Conn) string {
			host, ok := address.Host(c.RemoteAddr())
			if !ok {
				return "" // not a network's address
			}
			return host
		}
	}
	return h.serve
}

type handler struct {
	hub       *chat.Hub
	o         Options
	addresses tokens.Table[string] // bytes of all their connections
}

// reader is the reading half of one connection.
type reader struct {
	h       *handler
	c       *wsnet.Conn
	address string
	buf     []byte
	bytes   tokens.Bucket
	bad     int // requests of CodeBadRequest so far
}

func (h *handler) serve(ctx context.Context, c *wsnet.Conn) error {
	r := &reader{h: h, c: c, address: h.o.Address(ctx, c)}
	s, err := r.hello(ctx)
	if err != nil {
		return err
	}
	if f := h.o.Admitted; f != nil {
		f(ctx, c, s)
	}
	w := attend(h, c, s)
	defer w.ended.Wait()
	defer s.Close(chat.ErrPanic) // has an effect only if what follows panics
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
	for tries := 1; ; tries++ {
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
		if errors.Is(err, chat.ErrShutdown) { // no other hello would be taken, and what came behind this one counts on it
			code, reason := r.h.closing(err)
			last = &ws.CloseError{Code: code, Reason: reason}
		}
		p, err := chat.NewEvent(*refusal).Packet(Codec{})
		if err != nil {
			return nil, err
		}
		if err := r.c.WritePrepared(ctx, p.Value.(*wsnet.Prepared)); err != nil {
			return nil, err
		}
		if last != nil {
			return nil, last
		}
		if tries == maxHellos {
			return nil, &ws.CloseError{Code: ws.CodePolicyViolation, Reason: fmt.Sprintf("%d refused hellos", tries)}
		}
	}
}

// maxHellos is how many names or tokens somebody may try on one connection.
const maxHellos = 20

func (r *reader) connect(ctx context.Context, req request) (*chat.Session, error) {
	id, err := r.h.hub.Authenticate(ctx, chat.Credentials{Name: req.Name, Secret: req.Secret, Token: req.Token})
	if err != nil {
		return nil, err
	}
	id.Address = r.address
	return r.h.hub.Admit(id, Codec{})
}

// requests hands the client's requests to its session until the connection or
// the session is over; it never returns nil.
func (r *reader) requests(ctx context.Context, s *chat.Session) error {
	for {
		req, err := r.read(ctx)
		if _, refused := errors.AsType[*chat.Error](err); err != nil && !refused {
			return err
		}
		if over := s.Do(ctx, func() { r.answer(s, req, err) }); over != nil {
			return over
		}
	}
}

// answer serves a request, or refuses it with the error that it came to.
func (r *reader) answer(s *chat.Session, req request, err error) {
	if limit := s.Request(); limit != nil {
		err = limit
	}
	if err == nil {
		err = r.request(s, req)
	}
	if err == nil {
		return
	}
	refusal, last := r.refusal(req, err)
	if refusal != nil {
		s.Emit(*refusal)
	}
	if last != nil {
		s.Close(last)
	}
}

func (r *reader) request(s *chat.Session, req request) error {
	switch req.Type {
	case "send":
		return s.Send(req.Room, req.ID, req.Text)
	case "join":
		return s.Join(req.Room, cursor(req.Since), req.ID)
	case "leave":
		return s.Leave(req.Room, req.ID)
	case "typing":
		return s.Typing(req.Room)
	case "history":
		return s.History(req.Room, cursor(req.Before), req.Limit, req.ID)
	case "private":
		return s.Private(req.To, req.ID, req.Text)
	case "refresh":
		return s.Refresh(s.Context(), req.Token, req.ID)
	case "ping":
		s.Emit(pong{req.ID})
		return nil
	case "hello":
		return badRequest("hello was said already; to change the name, connect again")
	}
	return badRequest("there is no request of type %.32q", req.Type)
}

// cursor reads a cursor; one that is none of this server's is like one of
// another epoch.
func cursor(text string) chat.Cursor {
	c, err := chat.ParseCursor(text)
	if err != nil {
		return chat.ForeignCursor
	}
	return c
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
	if err := r.hold(ctx, len(data)); err != nil {
		return request{}, err
	}
	return parse(data)
}

// messageCosts is what a message counts in bytes besides its own.
const messageCosts = 64

// hold waits until a message of n bytes has its time.
func (r *reader) hold(ctx context.Context, n int) error {
	now, cost := time.Now(), float64(n+messageCosts)
	wait := r.bytes.Spend(tokens.PerSecond(r.h.o.ByteRate), cost, now)
	if r.address != "" {
		wait = max(wait, r.h.addresses.Spend(r.address, cost, now))
	}
	err := tokens.Sleep(ctx, wait)
	if over := r.c.Err(); err != nil && over != nil {
		return over
	}
	return err
}

// refusal turns err into what the client gets to read, and, when its patience
// with this client is over, into the error to end the connection with. A nil
// refusal means that err is no refusal.
func (r *reader) refusal(req request, err error) (*chat.Refusal, error) {
	f, ok := r.h.hub.Refusal(req.ID, err)
	if !ok {
		return nil, err
	}
	if f.Code != CodeBadRequest {
		return &f, nil
	}
	if r.bad++; r.bad < r.h.o.BadRequests {
		return &f, nil
	}
	return &f, &ws.CloseError{Code: ws.CodePolicyViolation, Reason: fmt.Sprintf("%d bad requests", r.bad)}
}
