// Package differential gives the same bytes to package ws and to other
// implementations of RFC 6455 and compares what they make of them. Every
// difference must stand in a table with the reason for it. It is a module of
// its own, so that the other implementations are not requirements of the
// main one.
package differential
