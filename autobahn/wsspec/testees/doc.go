// Package testees has WebSocket endpoints that are broken on purpose, each in one way,
// as servers and as clients. The conformance suite and the Autobahn testsuite have to
// say the same of them, case by case; testdata/autobahn.txt is what the latter said.
//
// They stand on the standard library alone and share nothing with package ws or with
// the suite, so that a fault of those cannot hide in both.
package testees
