package wstest_test

import (
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wstest"
)

func ExamplePipe() {
	a, b := wstest.Pipe()
	a.Write([]byte("Hello")) // does not wait for a reader
	a.(*wstest.Conn).CloseWrite()
	got, err := io.ReadAll(b)
	fmt.Printf("%s %v\n", got, err)
	// Output: Hello <nil>
}

func ExamplePipe_deadline() {
	a, _ := wstest.Pipe()
	a.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := a.Read(make([]byte, 1))
	fmt.Println(err)
	// Output: read pipe pipe:a->pipe:b: i/o timeout
}

func ExampleParseHex() {
	b, err := wstest.ParseHex("88 07 | 03e8 | 'bye' 21*2")
	fmt.Printf("%q %v\n", b, err)
	_, err = wstest.ParseHex("88 7")
	fmt.Println(err)
	// Output:
	// "\x88\a\x03\xe8bye!!" <nil>
	// wstest: wire literal "88 7", offset 3: an odd number of hex digits in "7"
}

// helloServer is what the example tests: it says Hello, waits for the Close
// frame and answers it.
func helloServer(c net.Conn) {
	defer c.Close()
	c.Write(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText}, []byte("Hello")))
	io.ReadFull(c, make([]byte, 6))
	c.Write([]byte{0x88, 0x00})
}

// A test as a dialogue, in a bubble of testing/synctest.
func ExamplePeer() {
	test := func(t *testing.T) { // func TestHello(t *testing.T)
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.Pipe()
			go helloServer(b)
			p := wstest.NewPeer(t, a)

			p.Want("the greeting", "81 05 | 'Hello'")
			p.WantIdle("the server waits for our Close frame")
			p.SendSlowly("88 80 | 00000000")
			p.WantClose("its answer", ws.CodeNoStatus, "")
			p.WantEOF("the server closes first (RFC 6455 §7.1.1)")
		})
	}
	exampleTest = test // run by TestExamplePeer
}

var exampleTest func(t *testing.T)

func TestExamplePeer(t *testing.T) {
	ExamplePeer()
	exampleTest(t)
}
