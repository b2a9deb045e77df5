// Package socketioserver holds servers of Socket.IO, which the tests of our client
// talk to: server.mjs for socket.io on Node.js, server.py for python-socketio, whose
// versions package socketio pins. It also has the files that pin those of socket.io.
package socketioserver

import "embed"

// Pins are package.json and its lock.
//
//go:embed package.json package-lock.json
var Pins embed.FS
