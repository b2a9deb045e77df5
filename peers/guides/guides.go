// Package guides plays what the documents for those who come from another server
// of Socket.IO say: the pieces of the other server's programs and the pieces of the
// page's script, as they stand there.
package guides

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
