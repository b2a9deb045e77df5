package socketio

// A Reason says why a socket was disconnected. Those that the reference server
// has are spelt as there; the ones of the connection itself come from its
// Engine.IO session, see package engineio.
type Reason string

// The reasons of Socket.IO's own.
const (
	ClientDisconnect Reason = "client namespace disconnect" // the client said so, in an orderly way
	ServerDisconnect Reason = "server namespace disconnect" // Socket.Disconnect
	TransportClose   Reason = "transport close"             // the connection is gone
	ParseError       Reason = "parse error"                 // the client broke the protocol
	Flood            Reason = "too many packets"            // of which nothing came: Options.IdleRate
	Replaced         Reason = "replaced"                    // the client came back over another connection
)

// recoverable tells whether a client that went like that may come back to the
// state it left.
func (r Reason) recoverable() bool {
	return r != ClientDisconnect && r != ServerDisconnect && r != ParseError && r != Flood
}
