package ws_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"

	"framewright/ws"
	"framewright/ws/wstest"
)

// The masked frame of RFC 6455 §5.7.
func ExampleParseHeader() {
	wire := wstest.MustHex("81 85 | 37 fa 21 3d | 7f 9f 4d 51 58")
	h, n, err := ws.ParseHeader(wire)
	if err != nil {
		log.Fatal(err)
	}
	payload := wire[n:]
	ws.Mask(payload, h.Key, 0)
	fmt.Printf("FIN %v, %v, masked with % x, %d bytes behind a header of %d: %q\n", h.Fin, h.Opcode, h.Key, h.Length, n, payload)

	_, n, err = ws.ParseHeader(wire[:3])
	fmt.Println("not all there yet:", n, err)

	_, _, err = ws.ParseHeader(wstest.MustHex("82 7e 0005"))
	fmt.Println(err)
	// Output:
	// FIN true, text, masked with 37 fa 21 3d, 5 bytes behind a header of 6: "Hello"
	// not all there yet: 0 <nil>
	// ws: length 5 takes 16 bits, but fits 7 (§5.2)
}

func ExampleAppendFrame() {
	h := ws.Header{Fin: true, Opcode: ws.OpText}
	fmt.Printf("% x\n", ws.AppendFrame(nil, h, []byte("Hello")))
	h.Masked, h.Key = true, [4]byte{0x37, 0xfa, 0x21, 0x3d}
	fmt.Printf("% x\n", ws.AppendFrame(nil, h, []byte("Hello")))
	// Output:
	// 81 05 48 65 6c 6c 6f
	// 81 85 37 fa 21 3d 7f 9f 4d 51 58
}

// A payload that comes in two pieces.
func ExampleMask() {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	first, second := []byte("Hel"), []byte("lo")
	next := ws.Mask(first, key, 0)
	ws.Mask(second, key, next)
	fmt.Printf("% x % x\n", first, second)
	// Output:
	// 7f 9f 4d 51 58
}

// A code point may be cut by the end of a piece, but not by that of the text.
func ExampleUTF8() {
	var u ws.UTF8
	fmt.Println(u.Write([]byte("10 \xe2\x82")), u.Done())
	fmt.Println(u.Write([]byte("\xac")), u.Done())
	u.Reset()
	fmt.Println(u.Write([]byte("\xed\xa0")), u.Done()) // a surrogate, known by its second byte
	// Output:
	// true false
	// true true
	// false false
}

func ExampleAcceptKey() {
	fmt.Println(ws.AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="))
	// Output:
	// s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
}

func ExampleCode_MaySend() {
	for _, c := range []ws.Code{ws.CodeNormal, ws.CodeAbnormal, 4000} {
		fmt.Println(c, c.MaySend())
	}
	// Output:
	// 1000 (normal closure) true
	// 1006 (abnormal closure) false
	// 4000 true
}

func ExampleCloseStatus() {
	err := fmt.Errorf("chat: %w", &ws.CloseError{Code: ws.CodeGoingAway, Remote: true})
	fmt.Println(ws.CloseStatus(err) == ws.CodeGoingAway, ws.CloseStatus(nil))
	// Output:
	// true 0
}

func ExampleCheckOrigin() {
	r := &ws.Request{Host: "chat.example.com", Header: http.Header{"Origin": {"https://example.com"}}}
	fmt.Println(ws.CheckOrigin(r, &ws.Policy{OriginPatterns: []string{"example.com"}}))
	if he, ok := errors.AsType[*ws.HandshakeError](ws.CheckOrigin(r, nil)); ok {
		fmt.Println(he.Status, he.Rule)
	}
	// Output:
	// <nil>
	// 403 10.2-origin
}

// What a client makes of the bytes that come from its server.
func ExampleReceiver_Next() {
	rx := ws.NewReceiver(ws.RoleClient, ws.Limits{})
	wire := wstest.MustHex("01 03 | 'Hel' | 89 01 | '?' | 80 02 | 'lo' | 80 00")
	for len(wire) > 0 {
		e, n, err := rx.Next(wire)
		if err != nil {
			fmt.Println(err)
			return
		}
		wire = wire[n:]
		fmt.Printf("%-6v %-5q fin %-5v state %v\n", e.Opcode, e.Payload, e.Fin, rx.State())
	}
	// Output:
	// text   "Hel" fin false state in text
	// ping   "?"   fin true  state in text
	// text   "lo"  fin true  state ready
	// ws: continuation without a message (§5.4)
}
