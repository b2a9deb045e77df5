package wstrace_test

import (
	"encoding/hex"
	"fmt"

	"framewright/ws"
	"framewright/ws/wstrace"
)

// The unmasked text message of RFC 6455 §5.7, in one line and bit by bit.
func ExampleStyle() {
	wire, err := hex.DecodeString("810548656c6c6f")
	if err != nil {
		fmt.Println(err)
		return
	}
	header, n, err := ws.ParseHeader(wire)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := ws.TraceEvent{Conn: 1, Role: ws.RoleClient, Header: header, Wire: wire[:n], Payload: wire[n:]}
	fmt.Printf("%s", wstrace.Style{OneLine: true}.Append(nil, e))
	fmt.Printf("%s", wstrace.Append(nil, e))
	// Output:
	// #1 < text 5 "Hello"
	// #1 < 81 05                            client receives text at offset 0, ready -> ready
	//      1... ....  FIN=1                 a whole message (§5.4)
	//      .000 ....  RSV1-3=0              reserved for extensions (§5.2)
	//      .... 0001  opcode=1              text (§5.6)
	//      0... ....  MASK=0                not masked (§5.1)
	//      .000 0101  length=5              bytes of payload (§5.2)
	//      48 65 6c 6c 6f                   "Hello"
}
