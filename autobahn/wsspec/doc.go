// Package wsspec is a conformance suite for RFC 6455 and RFC 7692: it talks to any
// WebSocket server or client, over bytes that it makes and reads itself, and says
// rule by rule what the other side keeps.
//
// It shares no judgement with package ws, so that a fault there cannot hide
// itself: frames, handshakes, UTF-8 and DEFLATE are written here a second time, as
// small as a tester needs them, and made so that they can break every rule.
//
// A [Case] is one thing to try. Its chapter is "autobahn" for the 517 cases of the
// Autobahn testsuite, which keep their ids and both of their verdicts, and a word of
// its own for what that suite never tests; those ids begin with the section. A
// [Dialogue] is one connection with the testee, the implementation under test. It
// keeps what went over the wire. Playing a case gives a [Result].
//
// That the chapter "autobahn" says of a testee what the Autobahn testsuite says is
// tested with endpoints that are broken on purpose: they, and the testsuite's verdicts
// on them, are in package testees.
package wsspec
