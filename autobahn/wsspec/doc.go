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
//
// The chapters beside "autobahn" are data, too. A script has frames, right ones and
// such that break a rule, how they are cut into writes, and what kind of outcome is
// allowed; a request or an answer of the handshake is a right one with edits. What
// came is judged once the connection has ended, or once everything that is owed has
// come, and never by a silence:
//
//	chapter.go            how a case gets its id, section, clause and level
//	hearing.go            what was seen of the testee, and what it did wrong itself
//	script.go             frames, cuts and outcomes
//	framing*.go           lengths, masks, bits, opcodes, fragments, control frames, closing  §5, §7
//	handshake*.go         requests for a server, answers for a client                        §4
//	utf8.go               every class of sequence, cut everywhere                            §8.1
//	segmentation.go       every kind of frame, cut everywhere and glued                      §6.2
//	robustness*.go        what is legal and too much: figures in place of a verdict          §10.4
//
// Where a peer that is stricter, or laxer, is right by the RFC, it passes. A reset
// may overtake a Close frame or an answer that nobody will ever see: it counts as
// what the peer was due to say. Once a frame is sent that breaks a rule, nothing is
// sent behind it, so that there is little for a reset to overtake. A rule that binds
// only the sender, a rule of HTTP's, and what the RFC merely advises is a SHOULD;
// what it leaves open is told and not judged.
package wsspec
