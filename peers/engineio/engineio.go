// Package engineio holds a client of Engine.IO on Node.js, client.mjs, and the
// files that pin the versions of engine.io-client that it speaks for.
package engineio

import "embed"

// Pins are package.json and its lock.
//
//go:embed package.json package-lock.json
var Pins embed.FS
