// Package sio is a transport of the chat for clients of Socket.IO, beside
// package plain: each client is a session of the hub and a member of one room,
// and sees the same order as everyone else there.
//
//	io, err := socketio.New(&socketio.Options{Recovery: &socketio.Recovery{Want: sio.WantsRecovery}})
//	…
//	sio.Attach(hub, io.Namespace, nil)
//	http.Handle("/socket.io/", io)
//
// # Events
//
// What there is to write a client, besides Socket.IO itself:
//
//	message, text        client: goes to everyone in the room, and with
//	                     [Options].Values what is no text, too; a second text
//	                     behind it is an id, and the same id again is not said
//	                     again. Acknowledged with nothing, or with
//	                     {"error": text, "data": {"code": …}}
//	message, text        server: what somebody said; the first one greets the
//	                     one who has just connected
//	presence, {name, here, people, account?, was?}
//	                     somebody came, went, or is called something else
//	renamed, {name, was, text}
//	                     the client is called something else from now on
//	notice, {text}       a line from the server itself
//	deleted, {place}     the message at this place is gone
//
// As auth a client may send name, secret (16 bytes or more: who has it is the
// same person again), token, and recover. A name that is taken is made another
// one, unless a secret or a token says whose it is; without a name the client is
// a guest. With {"recover": true} messages carry their place in the room as one
// more argument, and a client that was cut for a short time gets what it has
// missed: see [socketio.Recovery]. With [Tickets] it may come back to another run
// of the server, too.
//
// # What it does not do
//
// What is no message is not recovered: a notice, who came and went. A client is in
// one room, and has no way to ask for older messages, to write
// to one person, or to say that it types: the native protocol has.
package sio
