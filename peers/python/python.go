// Package python holds the peer program for websockets on Python, peer.py, and
// the file that pins its version.
package python

import "embed"

// Pins is requirements.txt.
//
//go:embed requirements.txt
var Pins embed.FS
