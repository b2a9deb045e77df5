package ws

// A Sender watches over what leaves an endpoint: that frames go out in an order which
// the peer's Receiver lets pass (§5.4, §5.5), each masked if it comes from a client
// (§5.1). It does no I/O and knows nothing of payloads.
type Sender struct {
	role   Role
	state  State
	before State // the frame that was begun last
}

// NewSender returns the Sender of the endpoint that has the given role.
func NewSender(role Role) Sender { return Sender{role: role} }

// Begin says whether a frame with header h may go out now: it returns the rule that
// forbids it, or "" and takes it for sent. h.Masked is set as it must be; the caller then
// sees to h.Key, which is fresh and unpredictable for every frame (§5.3, §10.3).
func (s *Sender) Begin(h *Header) (broken RuleID) {
	h.Masked = s.role == RoleClient
	k := kinds[h.Opcode&0xF]
	if !h.Fin && k < aPingPong {
		k++ // a… to a…More
	}
	m := &moves[s.state][k]
	if m.rule == "" {
		s.before, s.state = s.state, m.to
	}
	return m.rule
}

// Undo says that nothing of the frame which Begin let pass has gone out, nor will.
func (s *Sender) Undo() { s.state = s.before }

// State returns where the outgoing direction stands, and Before where it stood before
// the frame that was begun last.
func (s *Sender) State() State { return s.state }

// Before: see State.
func (s *Sender) Before() State { return s.before }

// Role returns the end at which the Sender stands.
func (s *Sender) Role() Role { return s.role }
