// Package typescript holds the files that pin the version of TypeScript by which
// the types of what pages load are checked, and tsconfig.json, which says how.
package typescript

import "embed"

// Pins are package.json and its lock.
//
//go:embed package.json package-lock.json
var Pins embed.FS
