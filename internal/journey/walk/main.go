// Walk does one thing with a connection over TCP and writes down which
// functions took part: it is built with coverage counters, which it clears
// just before and writes to a folder just after. Command journey builds and
// runs it.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime/coverage"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: walk write|read|ping FOLDER")
	}
	client, server := pair()
	w := &walk{peer: client, c: wsnet.NewConn(server, ws.RoleServer, nil), folder: os.Args[2]}
	var err error
	switch os.Args[1] {
	case "write":
		err = w.write()
	case "read":
		err = w.read(ws.OpText)
	case "ping":
		err = w.read(ws.OpPing)
	default:
		err = fmt.Errorf("no journey %q", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(0) // how a connection ends is another journey
}

func pair() (client, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		log.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		log.Fatal(err)
	}
	return client, server
}

// A walk is one connection and a raw peer.
type walk struct {
	peer   net.Conn
	c      *wsnet.Conn
	folder string
}

// warmUp is how often a thing is done before it is looked at: what is made only
// once has been made by then.
const warmUp = 3

// short is the payload: what a chat sends most.
var short = []byte("a text of thirty-two bytes, here")

// note writes down what has run since the counters were cleared.
func (w *walk) note() error {
	if err := coverage.WriteMetaDir(w.folder); err != nil {
		return err
	}
	return coverage.WriteCountersDir(w.folder)
}

func (w *walk) write() error {
	for i := range warmUp + 1 {
		if i == warmUp {
			if err := coverage.ClearCounters(); err != nil {
				return err
			}
		}
		if err := w.c.Write(context.Background(), ws.OpText, short); err != nil {
			return err
		}
	}
	return w.note()
}

// read sends frames to c, whose reader waits for each one. A text frame has
// arrived when the handler has it, a ping when its pong is here.
func (w *walk) read(opcode ws.Opcode) error {
	messages := make(chan error)
	go func() {
		for i := 0; ; i++ {
			op, _, err := w.c.Read(context.Background())
			if err == nil && op == opcode && i == warmUp {
				err = w.note()
			}
			messages <- err
		}
	}()
	h := ws.Header{Fin: true, Opcode: opcode, Masked: true, Key: [4]byte{1, 2, 3, 4}}
	frame := ws.AppendFrame(nil, h, short)
	for i := range warmUp + 1 {
		if err := w.untilReaderWaits(); err != nil {
			return err
		}
		if i == warmUp {
			if err := coverage.ClearCounters(); err != nil {
				return err
			}
		}
		if _, err := w.peer.Write(frame); err != nil {
			return err
		}
		if opcode == ws.OpPing {
			if err := w.awaitPong(); err != nil {
				return err
			}
			continue
		}
		if err := <-messages; err != nil {
			return err
		}
	}
	if opcode == ws.OpPing {
		return w.note()
	}
	return nil
}

func (w *walk) awaitPong() error {
	var pong [2 + 32]byte
	_, err := io.ReadFull(w.peer, pong[:])
	return err
}

// untilReaderWaits gives the reader time to reach the socket: this is a tool,
// and a reader that comes late makes a journey longer, not shorter.
func (w *walk) untilReaderWaits() error {
	time.Sleep(50 * time.Millisecond)
	return w.c.Err()
}
