package main

import (
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// With -compress a member who offers permessage-deflate gets what is said
// compressed, and one who does not gets it plain; without it nobody does.
func TestCompress(t *testing.T) {
	for _, on := range []bool{false, true} {
		args := []string{"-memory"}
		if on {
			args = append(args, "-compress")
		}
		p := start(t, args...)
		join := func(name string, o *wsnet.DialOptions) *wsnet.Conn {
			c := dial(t, p.url+"/ws", o)
			write(t, c, `{"type":"hello","name":"`+name+`"}`)
			read(t, c)
			write(t, c, `{"type":"join","room":"lobby"}`)
			read(t, c)
			return c
		}
		plain := join("Ada", nil)
		offers := join("Grace", &wsnet.DialOptions{Options: wsnet.Options{Compression: &ws.Compression{}}})
		read(t, plain) // Grace is here
		if got := offers.Deflate() != nil; got != on || plain.Deflate() != nil {
			t.Fatalf("-compress=%v: agreed with who offers: %v, with who does not: %v", on, got, plain.Deflate() != nil)
		}
		text := strings.Repeat("hello again ", 80)
		before := offers.Stats().BytesIn
		write(t, plain, `{"type":"send","room":"lobby","id":"1","text":"`+text+`"}`)
		if got := read(t, offers); !strings.Contains(got, text) {
			t.Fatal(got)
		}
		if wire := offers.Stats().BytesIn - before; on != (wire < 300) {
			t.Errorf("-compress=%v: %d bytes on the wire for a text of %d", on, wire, len(text))
		}
	}
}
