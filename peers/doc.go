// Package peers holds tests in which Framewright talks to WebSocket
// implementations that other people wrote, over real TCP and TLS on the
// loopback interface:
//
//   - gorilla/websocket, coder/websocket, gobwas/ws and lxzan/gws (Go),
//   - ws (Node.js) and websockets (Python), each as a child process that takes
//     commands and reports events as lines of JSON (node/peer.mjs,
//     python/peer.py),
//   - a real browser, headless Chromium.
//
// There is one table of exchanges (table_test.go). An exchange is a list of
// steps: this end does that; the other end must see this. It says nothing
// about who is the server, so every exchange runs twice with every peer: once
// dialled by us and once dialled by the peer. A peer is a small driver, the
// Endpoint interface in endpoint_test.go. What a peer's API cannot do is listed
// in its driver with a sentence, and the test log repeats it.
//
// A second table (deflate_test.go) runs with permessage-deflate, under every
// setting that both ends have: the handshake must settle on that setting, and
// fewer bytes must cross the wire than the content has.
//
// Engine.IO and Socket.IO have tests of their own (engineio_test.go,
// socketio_test.go): the published clients in JavaScript, on Node.js and in the
// browser, and in Python, over each transport and from one to the other. A page
// as a tutorial has it, testdata/guide, chats in guide_test.go, also where
// WebSocket is blocked.
//
// The documents for who comes from Flask-SocketIO or npm's socket.io are played
// (documents_test.go): their pieces of code are built, or run by the other server,
// and a client does what they say.
//
// The chat page has its own tests in chat_test.go and in page_test.go and its
// like: several tabs, a server that is killed and started again, connections
// that are cut, markup that must stay text, the keyboard alone, what assistive
// technology sees, contrast and sizes. Between browser and server stands a gate
// that cuts WebSockets when a test says so. What needs no browser is in
// client_test.go, and types_test.go checks the types of all that pages load.
//
// The browser is driven with chromedp and not with our own client speaking the
// DevTools protocol: when package ws breaks, these tests must say what broke,
// not lose their eyes.
//
// This is a module of its own, so that the peers are no dependencies of the
// main module. Everything is found or installed on the first run, see
// [framewright/peers/internal/install]. A peer that cannot be had is a skipped
// test with the reason; with PEERS_REQUIRED=1 in the environment it is a failed
// one.
package peers
