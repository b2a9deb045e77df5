// Package adminui holds the files that pin the version of the official Admin UI of
// Socket.IO, whose page looks at our server, and of what it needs to be an oracle:
// oracle.cjs has its own server side look at npm's server.
package adminui

import "embed"

// Pins are package.json and its lock.
//
//go:embed package.json package-lock.json
var Pins embed.FS
