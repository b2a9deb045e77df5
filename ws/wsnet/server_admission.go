package wsnet

import (
	"cmp"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"framewright/internal/address"
	"framewright/ws"
)

// address is what MaxPerAddress counts a request by. Those that have none are counted
// together.
func (s *Server) address(u *upgrade) string {
	from := ""
	switch {
	case s.MaxPerAddress <= 0:
		return ""
	case s.Address != nil:
		from = s.Address(u.exchange.request())
	default:
		from, _ = address.Host(u.exchange.request().RemoteAddr)
	}
	return cmp.Or(from, "nowhere")
}

// admit counts a request in, or says why not.
func (s *Server) admit(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e *ws.HandshakeError
	switch {
	case s.closing:
		e = ws.RuleConnections.Refusal("the server is shutting down")
	case s.MaxConns > 0 && len(s.conns)+s.opening >= s.MaxConns:
		e = ws.RuleConnections.Refusal("the server has all the connections that MaxConns allows, " + strconv.Itoa(s.MaxConns))
	case s.perAddress.Full(address, s.MaxPerAddress):
		e = ws.RulePerAddress.Refusal("your address has all the connections that MaxPerAddress allows, " + strconv.Itoa(s.MaxPerAddress))
	default:
		s.opening++
		s.perAddress.Add(address)
		return nil
	}
	after := s.RetryAfter
	if after <= 0 {
		after = 5 * time.Second
	}
	e.Header = http.Header{"Retry-After": {strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10)}}
	return e
}

// release counts out what admit counted in, but did not become a connection.
func (s *Server) release(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opening--
	s.perAddress.Remove(address)
	s.checkIdle()
}

// ended counts a connection out once it is gone, and tells Ended.
func (s *Server) ended(c *Conn, address string) {
	<-c.gone.done()
	s.mu.Lock()
	delete(s.conns, c)
	s.perAddress.Remove(address)
	s.ending++
	s.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			s.logger().Error("ws: panic in Ended", "conn", c.ID(), "err", p, "stack", string(debug.Stack()))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ending--
		s.checkIdle()
	}()
	if s.Ended != nil {
		s.Ended(c)
	}
}

// busy is how much there still is that Shutdown waits for. It has mu.
func (s *Server) busy() int {
	return len(s.conns) + s.opening + s.ending + len(s.serving)
}

// checkIdle has mu.
func (s *Server) checkIdle() {
	if s.idle != nil && s.busy() == 0 {
		close(s.idle)
		s.idle = nil
	}
}
