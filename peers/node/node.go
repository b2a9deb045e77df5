// Package node holds the peer program for ws on Node.js, peer.mjs, and the
// files that pin its version.
package node

import "embed"

// Pins are package.json and its lock.
//
//go:embed package.json package-lock.json
var Pins embed.FS
