// Package socketio holds clients of Socket.IO that take commands: driver.js for
// socket.io-client, in a browser or, by client.mjs, on Node.js; python/client.py
// for python-socketio. It also has the files that pin their versions.
package socketio

import (
	"embed"
	"io/fs"
)

// Pins are package.json and its lock.
//
//go:embed package.json package-lock.json
var Pins embed.FS

//go:embed python/requirements.txt
var python embed.FS

// PythonPins is requirements.txt.
var PythonPins, _ = fs.Sub(python, "python") // a name of our own

// Driver defines socketDriver in a page or in Node.js: see there.
//
//go:embed driver.js
var Driver string
