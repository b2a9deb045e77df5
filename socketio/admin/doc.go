// Package admin lets the official Admin UI of Socket.IO look at a server: the page of
// npm's @socket.io/admin-ui, unchanged, in its versions 0.3 to 0.5.
//
//	io, err := socketio.New(&socketio.Options{Engine: engineio.Options{
//		OriginPatterns: []string{"https://admin.socket.io"},
//	}})
//	…
//	err = admin.Instrument(io, admin.Options{Password: os.Getenv("ADMIN_PASSWORD")})
//
// The page is at https://admin.socket.io, or in the package's folder ui/dist. Mostly it
// comes from another origin than the server, which OriginPatterns must allow. That is the
// whole server's setting: a page that may connect to this namespace may connect to every
// one, as its visitor. So rather serve the folder from the server's own origin.
//
// # What it shows
//
// In [Production], the default, how many clients and sockets there are, and how many
// packets and bytes go by. In [Development] also every socket with its rooms and its
// handshake, and each event as it goes by. Everyone with the password then reads what
// users send, so it is not called a mode for development for nothing. What a handshake
// proves, Cookie and Authorization, is never shown, and neither is auth.
//
// Unless ReadOnly is set, the page can have sockets join and leave rooms, disconnect
// them, and send them events. Each such act is in the log.
//
// # What it costs
//
// While no page is connected, nothing. For each page there is a goroutine and a
// [socketio.Watcher]. Of events, a page is told no more than EventRate a second; the others
// are left out, though counted. What sockets and rooms do is never left out: a page that is
// too slow for it is cut, connects again, and gets everything anew. What is shown of a
// socket or an event is shortened to fit.
//
// # Not as in the reference server
//
// The password is compared with a fast hash, in constant time. A slow one, such as bcrypt,
// protects a password that people think up and that a thief of the hash could try out.
// This one has at least [MinPassword] bytes, should be random, and is in no source; an
// address that shows wrong ones has to wait.
//
// A transport that has changed is told with the next statistics. Data of a socket is what
// Options.Data says when the socket is shown, and is not updated. Events show the
// placeholders of bytes.
package admin
