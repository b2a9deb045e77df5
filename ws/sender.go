package ws

// A Sender watches over what leaves an endpoint: that frames go out in an order which
// the peer's Receiver lets pass (§5.4, §5.5), each masked if it comes from a client
// (§5.1). It does no I/O and knows nothing of payloads.
type Sender struct {
	role  Role
	state State
	next  State // after the current frame
}

// NewSender returns the Sender of the endpoint that has the given role.
func NewSender(role Role) Sender { return Sender{role: role} }

// Begin says whether a frame with header h may go out now: it returns the rule that
// forbids it, or "". h.Masked is set as it must be; the caller then sees to h.Key, which
// is fresh and unpredictable for every frame (§5.3, §10.3).
func (s *Sender) Begin(h *Header) (broken RuleID) {
	h.Masked = s.role == RoleClient
	k := kinds[h.Opcode&0xF]
	if !h.Fin && k < aPingPong {
		k++ // a… to a…More
	}
	m := &moves[s.state][k]
	s.next = m.to
	return m.rule
}

// Done says that the frame which Begin let pass is out, all of it.
func (s *Sender) Done() { s.state = s.next }

// State returns where the outgoing direction stands, and Next where it will when the
// current frame is out.
func (s *Sender) State() State { return s.state }

// Next: see State.
func (s *Sender) Next() State { return s.next }

// Role returns the end at which the Sender stands.
func (s *Sender) Role() Role { return s.role }
