package wsnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
	"framewright/ws/wstrace"
)

func ExampleOptions_trace() {
	var mu sync.Mutex // the two directions are traced at the same time
	a, b := wstest.Pipe()
	c := wsnet.NewConn(b, ws.RoleClient, &wsnet.Options{Trace: func(e ws.TraceEvent) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(e.Role, "sent:", e.Sent, e.Header.Opcode, string(e.Payload), "at", e.Offset)
	}})
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a.Write(wstest.MustHex("81 05 | 'Hello'"))
	c.Read(ctx)
	c.Write(ctx, ws.OpText, []byte("Hi"))
	// Output:
	// client sent: false text Hello at 0
	// client sent: true text Hi at 0
}

// A Server that sends every message back, and a client.
func ExampleHandler() {
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		for m, err := range c.Messages(ctx) {
			if err != nil {
				return err
			}
			if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
				return err
			}
		}
		return nil
	})
	l := wstest.NewListener() // or net.Listen("tcp", "127.0.0.1:8080")
	hs := &http.Server{Handler: srv}
	go hs.Serve(l)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := wsnet.Dial(ctx, "ws://server.test/echo", &wsnet.DialOptions{HTTPClient: l.Client()})
	if err != nil {
		log.Fatal(err)
	}
	c.Write(ctx, ws.OpText, []byte("Hello"))
	_, msg, err := c.Read(ctx)
	fmt.Printf("%s %v\n", msg, err)

	hs.Shutdown(ctx) // takes no new connections, and forgets those that are open
	go srv.Shutdown(ctx)
	_, _, err = c.Read(ctx)
	fmt.Println(err)
	// Output:
	// Hello <nil>
	// ws: read: closed by the peer with 1001 (going away): "server is shutting down"
}

func ExampleDial() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := wsnet.Dial(ctx, "wss://chat.example.com/room", &wsnet.DialOptions{
		Options: wsnet.Options{Subprotocols: []string{"chat"}},
		Header:  http.Header{"Authorization": {"Bearer " + os.Getenv("TOKEN")}},
	})
	if he, ok := errors.AsType[*ws.HandshakeError](err); ok {
		log.Fatalf("the server answered %d: %s", he.Status, he.Body)
	} else if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx, ws.CodeNormal, "")
	if err := c.Write(ctx, ws.OpText, []byte("Hello")); err != nil {
		log.Fatal(err)
	}
}

// One message for many connections is checked and encoded once.
func ExamplePrepare() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var servers, clients []*wsnet.Conn
	for range 3 {
		a, b := wstest.Pipe()
		servers = append(servers, wsnet.NewConn(a, ws.RoleServer, nil))
		clients = append(clients, wsnet.NewConn(b, ws.RoleClient, nil))
	}

	m, err := wsnet.Prepare(ws.OpText, []byte("to all of you"))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range servers {
		if err := c.WritePrepared(ctx, m); err != nil {
			log.Print(err) // this one is gone; the others are not
		}
	}

	for _, c := range clients {
		_, msg, _ := c.Read(ctx)
		fmt.Printf("%s\n", msg)
		c.CloseNow()
	}
	// Output:
	// to all of you
	// to all of you
	// to all of you
}

func ExampleConn_Messages() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a, b := wstest.Pipe()
	server, client := wsnet.NewConn(a, ws.RoleServer, nil), wsnet.NewConn(b, ws.RoleClient, nil)
	go func() {
		server.Write(ctx, ws.OpText, []byte("one"))
		server.Write(ctx, ws.OpBinary, []byte{2})
		server.Close(ctx, ws.CodeNormal, "that is all")
	}()
	for m, err := range client.Messages(ctx) {
		if ce, ok := errors.AsType[*ws.CloseError](err); ok && ce.Code == ws.CodeNormal {
			fmt.Println("the end:", ce.Reason)
		} else if err != nil {
			fmt.Println(err)
		} else {
			fmt.Printf("%v %q\n", m.Opcode, m.Data)
		}
	}
	// Output:
	// text "one"
	// binary "\x02"
	// the end: that is all
}

// A message that is sent in fragments as it grows.
func ExampleConn_Writer() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a, b := wstest.Pipe()
	server, client := wsnet.NewConn(a, ws.RoleServer, nil), wsnet.NewConn(b, ws.RoleClient, nil)
	defer client.CloseNow()
	defer server.CloseNow()
	go func() {
		w, err := server.Writer(ctx, ws.OpText)
		if err != nil {
			log.Fatal(err)
		}
		for i := range 3 {
			fmt.Fprintf(w, "line %d\n", i+1)
		}
		if err := w.Close(); err != nil {
			log.Fatal(err)
		}
	}()
	_, r, err := client.Reader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, r)
	// Output:
	// line 1
	// line 2
	// line 3
}

// What a masked text message is made of.
func Example_trace() {
	var text []byte
	a, b := wstest.Pipe()
	c := wsnet.NewConn(b, ws.RoleServer, &wsnet.Options{Trace: func(e ws.TraceEvent) {
		e.Conn = 7 // for this example; it counts the process's connections
		text = wstrace.Append(text, e)
	}})
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a.Write(wstest.MustHex("81 85 | 37 fa 21 3d | 7f 9f 4d 51 58"))
	c.Read(ctx)
	os.Stdout.Write(text)
	// Output:
	// #7 < 81 85 37 fa 21 3d                server receives text at offset 0, ready -> ready
	//      1... ....  FIN=1                 a whole message (§5.4)
	//      .000 ....  RSV1-3=0              reserved for extensions (§5.2)
	//      .... 0001  opcode=1              text (§5.6)
	//      1... ....  MASK=1                a masking key follows (§5.1)
	//      .000 0101  length=5              bytes of payload (§5.2)
	//      37 fa 21 3d                      masking key (§5.3)
	//      7f 9f 4d 51 58                   payload, masked (§5.3)
	//      48 65 6c 6c 6f                   "Hello"
}
