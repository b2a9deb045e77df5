// Package wstest has what tests of WebSocket endpoints need: a connection and a
// listener in memory that work under testing/synctest, a raw peer that sends
// any bytes and states which must come back, and a check for goroutines left
// behind. It is for tests of package ws and for everybody else's.
//
// A test reads as a dialogue. Wire bytes are written as hex, split by field;
// see [ParseHex].
//
//	a, b := wstest.Pipe()
//	go serve(b) // the endpoint under test
//	p := wstest.NewPeer(t, a)
//	p.Upgrade()
//	p.Send("81 85 | 37fa213d | 7f9f4d5158")
//	p.Want("the echo", "81 05 | 'Hello'")
//	p.Send("88 80 | 00000000")
//	p.WantClose("the answer", ws.CodeNoStatus, "")
//	p.WantEOF("the server closes first")
package wstest
