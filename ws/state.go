package ws

// A Role is the end of the connection at which an endpoint stands. What it
// sends is masked by RoleClient and not by RoleServer (RFC 6455 §5.1).
type Role uint8

// The two roles.
const (
	RoleServer Role = iota
	RoleClient
)

// String returns "server" or "client".
func (r Role) String() string {
	if r == RoleClient {
		return "client"
	}
	return "server"
}

// A State is where one direction of a connection stands: what was sent so far
// decides which frame may come next.
type State uint8

// The states of one direction.
const (
	StateReady    State = iota // between messages
	StateInText                // inside a fragmented text message
	StateInBinary              // inside a fragmented binary message
	StateClosed                // a Close frame went by
	numStates
)

// String returns the name used in traces.
func (s State) String() string {
	return [...]string{"ready", "in text", "in binary", "closed"}[s%numStates]
}

// A frameKind is what the state machine sees of a frame: its opcode and,
// where it matters, FIN.
type frameKind uint8

const (
	aText frameKind = iota
	aTextMore
	aBinary
	aBinaryMore
	aContinuation
	aContinuationMore
	aPingPong
	aClose
	aReserved // 3-7 and B-F (§5.2)
	numKinds
)

// A move is one cell of the table: the next state, or the rule against it.
type move struct {
	to   State
	rule RuleID
}

// moves is the whole state machine of one direction (§5.4, §5.5). "More"
// stands for FIN=0. Control frames may come between the fragments of a
// message and change nothing, except Close.
var moves = [numStates][numKinds]move{
	StateReady: {
		aText:             {to: StateReady},
		aTextMore:         {to: StateInText},
		aBinary:           {to: StateReady},
		aBinaryMore:       {to: StateInBinary},
		aContinuation:     {rule: RuleContinuation},
		aContinuationMore: {rule: RuleContinuation},
		aPingPong:         {to: StateReady},
		aClose:            {to: StateClosed},
		aReserved:         {rule: RuleOpcode},
	},
	StateInText: {
		aText:             {rule: RuleInterleaved},
		aTextMore:         {rule: RuleInterleaved},
		aBinary:           {rule: RuleInterleaved},
		aBinaryMore:       {rule: RuleInterleaved},
		aContinuation:     {to: StateReady},
		aContinuationMore: {to: StateInText},
		aPingPong:         {to: StateInText},
		aClose:            {to: StateClosed},
		aReserved:         {rule: RuleOpcode},
	},
	StateInBinary: {
		aText:             {rule: RuleInterleaved},
		aTextMore:         {rule: RuleInterleaved},
		aBinary:           {rule: RuleInterleaved},
		aBinaryMore:       {rule: RuleInterleaved},
		aContinuation:     {to: StateReady},
		aContinuationMore: {to: StateInBinary},
		aPingPong:         {to: StateInBinary},
		aClose:            {to: StateClosed},
		aReserved:         {rule: RuleOpcode},
	},
	StateClosed: {
		aText:             {rule: RuleAfterClose},
		aTextMore:         {rule: RuleAfterClose},
		aBinary:           {rule: RuleAfterClose},
		aBinaryMore:       {rule: RuleAfterClose},
		aContinuation:     {rule: RuleAfterClose},
		aContinuationMore: {rule: RuleAfterClose},
		aPingPong:         {rule: RuleAfterClose},
		aClose:            {rule: RuleAfterClose},
		aReserved:         {rule: RuleOpcode},
	},
}

// kinds has the kind of each opcode, as it is with FIN=1.
var kinds = [16]frameKind{
	OpContinuation: aContinuation, OpText: aText, OpBinary: aBinary,
	3: aReserved, 4: aReserved, 5: aReserved, 6: aReserved, 7: aReserved,
	OpClose: aClose, OpPing: aPingPong, OpPong: aPingPong,
	0xB: aReserved, 0xC: aReserved, 0xD: aReserved, 0xE: aReserved, 0xF: aReserved,
}

// After returns the state after a frame with header h, or s itself and the
// rule that forbids the frame in s.
func (s State) After(h Header) (State, RuleID) {
	if s >= numStates {
		return s, RuleAfterClose // no state of ours
	}
	if h.Opcode > 0xF {
		return s, RuleOpcode
	}
	k := kinds[h.Opcode]
	if !h.Fin && k < aPingPong {
		k++ // a… to a…More
	}
	m := moves[s][k]
	if m.rule != "" {
		return s, m.rule
	}
	return m.to, ""
}
