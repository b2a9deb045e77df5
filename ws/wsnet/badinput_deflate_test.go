package wsnet_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Rows about compressed messages. Options.Compression says what the endpoint
// under test wants; the peer agrees to all of it.

// badOffer is the line of a request to a server with o.
func badOffer(o *wsnet.Options) []string {
	if o.Compression == nil {
		return nil
	}
	return []string{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}
}

// badAgree is the line of the answer to an offer.
func badAgree(offer string) []string {
	if offer == "" {
		return nil
	}
	_, answer, err := ws.AcceptDeflate([]string{offer}, &ws.Compression{SendContext: true, ReceiveContext: true})
	if err != nil {
		panic(err)
	}
	return []string{"Sec-WebSocket-Extensions: " + answer}
}

func badConn(rwc io.ReadWriteCloser, role ws.Role, o *wsnet.Options) *wsnet.Conn {
	if o.Compression == nil {
		return wsnet.NewConn(rwc, role, o)
	}
	offer := ws.OfferDeflate(o.Compression)
	if role == ws.RoleServer {
		offer = "permessage-deflate; client_max_window_bits"
	}
	server := &ws.Compression{SendContext: true, ReceiveContext: true}
	if role == ws.RoleServer {
		server = o.Compression
	}
	agreed, answer, err := ws.AcceptDeflate([]string{offer}, server)
	if err == nil && role == ws.RoleClient {
		agreed, err = ws.CheckDeflate([]string{answer}, o.Compression)
	}
	if err != nil {
		panic(err)
	}
	return wsnet.NewDeflateConn(rwc, role, o, *agreed)
}

// badSqueezed are compressed binary messages, one frame each, in the notation
// of badFrames.send, in a window of 2^bits bytes.
func badSqueezed(first string, bits int, keep bool, messages ...string) string {
	z := deflate.NewCompressor(bits, keep)
	var frames []string
	for _, m := range messages {
		frames = append(frames, badFrame(first, z.Append(nil, []byte(m))))
	}
	return strings.Join(frames, "; ")
}

func badFrame(first string, payload []byte) string {
	switch n := len(payload); {
	case n < 126:
		return fmt.Sprintf("%s %02x | %x", first, n, payload)
	case n < 1<<16:
		return fmt.Sprintf("%s 7e %04x | %x", first, n, payload)
	default:
		return fmt.Sprintf("%s 7f %016x | %x", first, n, payload)
	}
}

// badBomb is what inflates to so many MiB, about a KiB each.
var badBomb = sync.OnceValue(func() []byte {
	const mib = 64
	unit := deflate.NewCompressor(15, false).Append(nil, make([]byte, 1<<20))
	unit = append(unit, 0, 0, 0xff, 0xff) // §7.2.1 takes it off
	bomb := bytes.Repeat(unit, mib)
	return bomb[:len(bomb)-4]
})

// badNoise is content in which nothing repeats.
func badNoise(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func badDeflateRows() []badFrames {
	on := func(c ws.Compression) *wsnet.Options { return &wsnet.Options{Compression: &c} }
	plain := on(ws.Compression{})
	context := on(ws.Compression{ReceiveContext: true})
	noise := badNoise(600)
	flushed := func(s string) []byte {
		return append(deflate.NewCompressor(15, false).Append(nil, []byte(s)), 0, 0, 0xff, 0xff)
	}
	return []badFrames{
		{row: 27, name: "RSV1 on a ping where it has a meaning", send: "c9 00", opts: plain, code: badErr, rule: ws.RuleRSV1},
		{row: 27, name: "RSV1 on a continuation where it has a meaning", send: "41 00; c0 01 | 00", opts: plain, code: badErr, rule: ws.RuleRSV1},
		{row: 25, name: "RSV2 beside RSV1", send: "e1 01 | 00", opts: plain, code: badErr, rule: ws.RuleRSV},

		{row: 56, name: "compressed text that inflates to a bad byte", send: badSqueezed("c1", 15, false, "good until \xff"), opts: plain, code: badText, rule: ws.RuleTextUTF8},
		{row: 56, name: "compressed text that inflates to a surrogate", send: badSqueezed("c1", 15, false, "\xed\xa0\x80"), opts: plain, code: badText, rule: ws.RuleTextUTF8},
		{row: 56, name: "compressed text that ends inside a code point", send: badSqueezed("c1", 15, false, "e\xe2\x82"), opts: plain, code: badText, rule: ws.RuleTextUTF8},
		{row: 56, name: "a bad byte in the first compressed fragment", send: badFrame("41", flushed("\xff")), opts: plain, code: badText, rule: ws.RuleTextUTF8},
		{row: 56, name: "compressed text without a fault", send: badSqueezed("c1", 15, false, strings.Repeat("é€😀", 50)), opts: plain, got: []string{strings.Repeat("é€😀", 50)}},
		{row: 56, name: "compressed binary that is not UTF-8", send: badSqueezed("c2", 15, false, "\xff\xfe"), opts: plain, got: []string{"\xff\xfe"}},

		{row: 59, name: "64 KiB that inflate to 64 MiB", send: badFrame("c2", badBomb()), opts: plain, code: badBig, rule: ws.RuleMessageSize},
		{row: 59, name: "the same as text", send: badFrame("c1", badBomb()), opts: context, code: badBig, rule: ws.RuleMessageSize},
		{row: 59, name: "exactly the limit", send: badSqueezed("c2", 15, false, strings.Repeat("a", 1000)), opts: &wsnet.Options{MaxMessage: 1000, Compression: &ws.Compression{}}, got: []string{strings.Repeat("a", 1000)}},
		{row: 59, name: "one byte more", send: badSqueezed("c2", 15, false, strings.Repeat("a", 1001)), opts: &wsnet.Options{MaxMessage: 1000, Compression: &ws.Compression{}}, code: badBig, rule: ws.RuleMessageSize},
		{row: 59, name: "a compressed length of 2^63-1", send: "c2 7f 7fffffffffffffff", opts: plain, code: badBig, rule: ws.RuleMessageSize},

		{row: 60, name: "100,000 empty stored blocks", send: badFrame("c2", bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 100000)), opts: plain, code: badRude, rule: ws.RuleEmptyBlocks},
		{row: 60, name: "8,000 empty blocks with fixed codes", send: badFrame("c1", bytes.Repeat([]byte{0x02, 0x08, 0x20, 0x80, 0x00}, 2000)), opts: plain, code: badRude, rule: ws.RuleEmptyBlocks},
		{row: 60, name: "empty blocks in fragments", send: "41 00; " + strings.Repeat(badFrame("00", bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 20))+"; ", 60), opts: plain, code: badRude, rule: ws.RuleEmptyBlocks},
		{row: 60, name: "a few empty blocks", send: badFrame("c1", append(bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 100), 0)), opts: plain, got: []string{""}},

		{row: 61, name: "a series of bombs below the limit", send: badSqueezed("c2", 15, false, strings.Repeat("a", 500000), strings.Repeat("b", 500000)),
			opts: &wsnet.Options{InflateRate: 60000, Compression: &ws.Compression{}}, got: []string{strings.Repeat("a", 500000)}, code: badRude, rule: ws.RuleInflateRate},

		{row: 62, name: "a reserved block type", send: "c2 01 | 07", opts: plain, code: badText, rule: ws.RuleDeflate},
		{row: 62, name: "a reserved block type in the second fragment", send: badFrame("42", flushed("good")) + "; 80 01 | 06", opts: plain, code: badText, rule: ws.RuleDeflate},
		{row: 62, name: "a stored block whose lengths disagree", send: "c2 06 | 000100ffff61", opts: plain, code: badText, rule: ws.RuleDeflate},
		{row: 62, name: "a stored block that is cut off", send: "c2 06 | 000600f9ff61", opts: plain, code: badText, rule: ws.RuleDeflate},
		{row: 62, name: "a code of too many lengths", send: badFrame("c2", bytes.Repeat([]byte{0xfc}, 20)), opts: plain, code: badText, rule: ws.RuleDeflate},
		{row: 62, name: "a block that is cut off", send: badFrame("c2", deflateCut(noise)), opts: plain, code: badText, rule: ws.RuleDeflate},

		{row: 63, name: "a distance before the first byte", send: "c2 04 | 4b044200", opts: plain, code: badText, rule: ws.RuleDeflate},
		{row: 63, name: "a distance beyond a window of 256 bytes", send: badSqueezed("c2", 15, false, noise[:257]+noise[:257]), opts: on(ws.Compression{ReceiveWindow: 8}), code: badText, rule: ws.RuleDeflate},
		{row: 63, name: "a distance of the whole window", send: badSqueezed("c2", 15, false, noise[:256]+noise[:256]), opts: on(ws.Compression{ReceiveWindow: 8}), got: []string{noise[:256] + noise[:256]}},
		{row: 63, name: "a distance beyond the window in another message", send: badSqueezed("c2", 15, true, noise[:600], noise[:50]), opts: on(ws.Compression{ReceiveContext: true, ReceiveWindow: 9}), got: []string{noise[:600]}, code: badText, rule: ws.RuleDeflate},

		{row: 64, name: "a reference into the last message without context", send: badSqueezed("c2", 15, true, noise[:100], noise[:100]), opts: plain, got: []string{noise[:100]}, code: badText, rule: ws.RuleDeflate},
		{row: 64, name: "a reference into the last message with context", send: badSqueezed("c2", 15, true, noise[:100], noise[:100]), opts: context, got: []string{noise[:100], noise[:100]}},
		{row: 64, name: "a message that is not compressed is not in the context", send: badSqueezed("c2", 15, true, noise[:100]) + "; 82 02 | 'no'; " + badSqueezed("c2", 15, true, noise[:100]), opts: context, got: []string{noise[:100], "no", noise[:100]}},

		{row: 65, name: "BFINAL, as in RFC 7692 §7.2.3.4", send: "c1 08 | f348cdc9c9070000", opts: plain, got: []string{"Hello"}},
		{row: 65, name: "BFINAL with context, twice", send: "c1 08 | f348cdc9c9070000; c1 08 | f348cdc9c9070000", opts: context, got: []string{"Hello", "Hello"}},
		{row: 65, name: "two blocks, §7.2.3.5", send: "c1 0d | f248 0500 0000 ffff cac9 c907 00", opts: plain, got: []string{"Hello"}},

		{row: 66, name: "an empty compressed message", send: "c1 01 | 00", opts: plain, got: []string{""}},
		{row: 66, name: "an empty compressed message in empty fragments", send: "41 00; 00 00; 80 01 | 00", opts: context, got: []string{""}},
		{row: 66, name: "an empty compressed message of no bytes", send: "c2 00", opts: plain, got: []string{""}},
	}
}

func deflateCut(content string) []byte {
	p := deflate.NewCompressor(15, false).Append(nil, []byte(content))
	return p[:len(p)-3]
}

// badInflate has role read what it gets, by Read or as a stream, until it
// fails, and returns that error.
func badInflate(role ws.Role, wire []byte, o wsnet.Options, stream bool) error {
	o.PingInterval = -1
	o.Compression = &ws.Compression{}
	c := badConn(badTape{bytes.NewReader(wire)}, role, &o)
	defer c.CloseNow()
	for {
		if !stream {
			if _, _, err := c.Read(c.Context()); err != nil {
				return err
			}
			continue
		}
		_, r, err := c.Reader(c.Context())
		if err == nil {
			_, err = io.Copy(io.Discard, struct{ io.Reader }{r})
		}
		if err != nil {
			return err
		}
	}
}

var badDeflateCostRows = []badRow{
	{row: 59, name: "the memory for bombs", serial: true, test: func(t *testing.T, _ *badNet) {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			wire := zFrame(role, true, ws.RSV1, ws.OpBinary, badBomb())
			badFlat(t, 384<<10, func() { badWants(t, ws.RuleMessageSize, badInflate(role, wire, wsnet.Options{}, true)) })
			// Read keeps what has come, up to the limit, and grows to it.
			badFlat(t, 4<<20, func() { badWants(t, ws.RuleMessageSize, badInflate(role, wire, wsnet.Options{}, false)) })
		}
	}},
	{row: 59, name: "the memory for 100 bombs at once", serial: true, test: func(t *testing.T, _ *badNet) {
		for _, stream := range []bool{true, false} {
			const bombs = 100
			wire := zFrame(ws.RoleServer, true, ws.RSV1, ws.OpBinary, badBomb())
			runtime.GC()
			before := heapInUse()
			var peak uint64
			var wg sync.WaitGroup
			done := make(chan struct{})
			start := make(chan struct{})
			for range bombs {
				wg.Go(func() {
					wire := bytes.Clone(wire[:40<<10]) // unmasked in place; the limit is reached before
					<-start
					badWants(t, ws.RuleMessageSize, badInflate(ws.RoleServer, wire, wsnet.Options{}, stream))
				})
			}
			go func() { wg.Wait(); close(done) }()
			close(start)
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				peak = max(peak, heapInUse())
				runtime.Gosched()
			}
			rise := int64(peak) - int64(before)
			t.Logf("%d bombs, as a stream %v: the heap rises by %d KiB", bombs, stream, rise>>10)
			if rise >= 32<<20 && !wstest.RaceEnabled() { // which makes a sync.Pool forget at random
				t.Errorf("the heap rises by %d MiB, want less than 32", rise>>20)
			}
		}
	}},
	{row: 59, name: "the memory for 100 bombs that stop short of their end", serial: true, test: func(t *testing.T, _ *badNet) {
		wire := zFrame(ws.RoleServer, true, ws.RSV1, ws.OpBinary, deflateRaw(t, 15, strings.Repeat("a", 1<<20-10)))
		synctest.Test(t, func(t *testing.T) {
			runtime.GC()
			before := heapInUse()
			var peers []*wstest.Peer
			var conns []*wsnet.Conn
			var wg sync.WaitGroup
			for range 100 {
				c, p := zConn(t, ws.RoleServer, ctQuiet(), zParams(true, 15))
				conns, peers = append(conns, c), append(peers, p)
				p.SendBytes(bytes.Clone(wire[:len(wire)-1]))
				wg.Go(func() {
					if _, got, err := c.Read(t.Context()); err != nil || len(got) != 1<<20-10 {
						t.Error(len(got), err)
					}
				})
			}
			synctest.Wait()
			runtime.GC()
			rise := int64(heapInUse()) - int64(before)
			t.Logf("the heap rises by %d KiB", rise>>10)
			if rise >= 32<<20 {
				t.Errorf("the heap rises by %d MiB, want less than 32", rise>>20)
			}
			for _, p := range peers {
				p.SendBytes(bytes.Clone(wire[len(wire)-1:]))
			}
			wg.Wait()
			for _, c := range conns {
				c.CloseNow()
			}
		})
	}},
	{row: 60, name: "the cost of empty blocks", serial: true, test: func(t *testing.T, _ *badNet) {
		wire := zFrame(ws.RoleClient, true, ws.RSV1, ws.OpBinary, bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 200000))
		badFlat(t, 256<<10, func() { badWants(t, ws.RuleEmptyBlocks, badInflate(ws.RoleClient, wire, wsnet.Options{}, false)) })
	}},
	{row: 61, name: "the default for a series of bombs", serial: true, test: func(t *testing.T, _ *badNet) {
		bomb := zFrame(ws.RoleServer, true, ws.RSV1, ws.OpBinary, deflateRaw(t, 15, strings.Repeat("a", 1<<20)))
		o := wsnet.Options{}
		badWants(t, ws.RuleInflateRate, badInflate(ws.RoleServer, bytes.Repeat(bomb, 1000), o, true))
		o.InflateRate = -1
		c := badConn(badTape{bytes.NewReader(bytes.Repeat(bomb, 100))}, ws.RoleServer, &wsnet.Options{InflateRate: -1, PingInterval: -1, Compression: &ws.Compression{}})
		defer c.CloseNow()
		for range 100 {
			if _, p, err := c.Read(t.Context()); err != nil || len(p) != 1<<20 {
				t.Fatal(len(p), err)
			}
		}
	}},
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
