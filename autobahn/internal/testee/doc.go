// Package testee is our own server and our own client as the conformance suites
// test them: echoes without the limits that the suites mean to reach.
package testee
