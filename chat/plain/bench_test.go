package plain

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/chat"
	"framewright/ws"
	"framewright/ws/wsnet"
)

const (
	benchReceivers = 1000
	benchText      = 128 // bytes
)

// receivers are connections that do nothing but count the bytes that come, as
// cheaply as they can, so that what is measured is the server.
type receivers struct {
	pending sync.WaitGroup // of one message to each
	size    int            // of one message
}

func dialRaw(b *testing.B, url string) (net.Conn, *bufio.Reader) {
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", strings.TrimPrefix(url, "http://"))
	r := bufio.NewReader(c)
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal(res, err)
	}
	return c, r
}

// count makes the connection count messages of rs.size bytes from now on.
func (rs *receivers) count(r io.Reader) {
	go func() {
		buf := make([]byte, 4<<10)
		for n := 0; ; {
			m, err := r.Read(buf)
			if err != nil {
				return
			}
			for n += m; n >= rs.size; n -= rs.size {
				rs.pending.Done()
			}
		}
	}()
}

// BenchmarkFanOut compares a room of 1,000 with what is below it: the same
// bytes to 1,000 connections, one after the other, without any chat.
func BenchmarkFanOut(b *testing.B) {
	text := strings.Repeat("x", benchText)
	b.Run("bare", func(b *testing.B) {
		var mu sync.Mutex
		var conns []*wsnet.Conn
		srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			_, _, err := c.Read(ctx)
			return err
		})
		srv.Options.PingInterval = -1
		hs := httptest.NewServer(srv)
		defer hs.Close()
		p, err := Codec{}.Encode(chat.NewEvent(chat.Posted{Message: benchMessage(text)}))
		if err != nil {
			b.Fatal(err)
		}
		rs := &receivers{size: len(p.Value.(*wsnet.Prepared).Data()) + 4}
		for range benchReceivers {
			_, r := dialRaw(b, hs.URL)
			rs.count(r)
		}
		for {
			mu.Lock()
			n := len(conns)
			mu.Unlock()
			if n == benchReceivers {
				break
			}
			time.Sleep(time.Millisecond)
		}
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			rs.pending.Add(benchReceivers)
			p, err := Codec{}.Encode(chat.NewEvent(chat.Posted{Message: benchMessage(text)}))
			if err != nil {
				b.Fatal(err)
			}
			for _, c := range conns {
				if err := c.WritePrepared(context.Background(), p.Value.(*wsnet.Prepared)); err != nil {
					b.Fatal(err)
				}
			}
			rs.pending.Wait()
		}
	})
	b.Run("chat", func(b *testing.B) {
		hub, rs := benchRoom(b, benchReceivers, 0)
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			rs.pending.Add(benchReceivers)
			if _, err := hub.Publish("lobby", benchPerson, "", text); err != nil {
				b.Fatal(err)
			}
			rs.pending.Wait()
		}
	})
}

// reportCPU adds what the processors worked for each operation, clients
// included, where that is known: unlike the time, it depends little on what
// else the machine does.
func reportCPU(b *testing.B) func() {
	start, ok := cpuTime()
	return func() {
		if end, _ := cpuTime(); ok {
			b.ReportMetric(float64((end-start).Microseconds())/float64(b.N), "cpu-µs/op")
		}
	}
}

// BenchmarkStalled reports how long a message takes to reach the last of 500
// readers, the 99th percentile, alone and beside 500 that do not read.
func BenchmarkStalled(b *testing.B) {
	for _, stalled := range []int{0, 500} {
		b.Run(fmt.Sprint(stalled), func(b *testing.B) {
			hub, rs := benchRoom(b, 500, stalled)
			text := strings.Repeat("x", benchText)
			var took []time.Duration
			for b.Loop() {
				rs.pending.Add(500)
				start := time.Now()
				if _, err := hub.Publish("lobby", benchPerson, "", text); err != nil {
					b.Fatal(err)
				}
				rs.pending.Wait()
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(hub.Stats().QueueBytes)/(1<<20), "queued-MiB")
			b.ReportMetric(float64(hub.Stats().Ended["slow"]), "closed")
		})
	}
}

var benchPerson = chat.Person{ID: "fdc0706e1daf780b5335b2f9", Name: "Ada"}

func benchMessage(text string) *chat.Message {
	return &chat.Message{Room: "lobby", Cursor: chat.Cursor{Epoch: 1 << 63, Seq: 1 << 40}, Time: time.Now(), From: benchPerson, Text: text}
}

// benchRoom makes a hub with a room, and clients in it that read or do not.
func benchRoom(b *testing.B, reading, stalled int) (*chat.Hub, *receivers) {
	none := chat.Rate{PerSecond: -1}
	hub := chat.New(chat.Options{MaxSessionsPerAddress: -1, MessageRate: none, PersonRate: none,
		Store: &fixed{}, MaxMembers: 1, PresenceGrace: time.Hour}) // no word of who is cut
	srv := wsnet.Handler(Handler(hub, nil))
	srv.Options.PingInterval = -1
	hs := httptest.NewUnstartedServer(srv)
	hs.Listener = shortListener{hs.Listener}
	hs.Start()
	b.Cleanup(func() {
		hs.CloseClientConnections()
		hs.Close()
		hub.Close()
	})
	p, err := Codec{}.Encode(chat.NewEvent(chat.Posted{Message: benchMessage(strings.Repeat("x", benchText))}))
	if err != nil {
		b.Fatal(err)
	}
	rs := &receivers{size: len(p.Value.(*wsnet.Prepared).Data()) + 4}
	enter := func(i int) (net.Conn, *bufio.Reader) {
		c, r := dialRaw(b, hs.URL)
		for _, text := range []string{fmt.Sprintf(`{"type":"hello","name":"n%d","secret":"a secret of more than %d"}`, i, 1_000_000_000+i), `{"type":"join","room":"lobby"}`} {
			c.Write(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText, Masked: true}, []byte(text)))
		}
		return c, r
	}
	for i := range stalled {
		c, _ := enter(reading + i)
		c.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
	var ready sync.WaitGroup
	for i := range reading {
		_, r := enter(i)
		ready.Go(func() { // past what comes before the first message
			for text := ""; !strings.Contains(text, `"begin"`); {
				var err error
				if text, err = readText(r); err != nil {
					b.Error(err)
					return
				}
			}
			rs.count(r)
		})
	}
	for hub.Stats().Joins < uint64(reading+stalled) {
		time.Sleep(time.Millisecond)
	}
	hub.ToRoom("lobby", chat.Notice{Text: "begin"})
	ready.Wait()
	return hub, rs
}

// shortListener makes connections for which the system keeps little, so that who
// does not read is felt at once.
type shortListener struct{ net.Listener }

func (l shortListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok {
		t.SetWriteBuffer(4 << 10)
	}
	return c, err
}

func readText(r *bufio.Reader) (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	n := int(head[1])
	if n == 126 {
		if _, err := io.ReadFull(r, head); err != nil {
			return "", err
		}
		n = int(head[0])<<8 | int(head[1])
	}
	text := make([]byte, n)
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// fixed is a store whose cursors are all of the same length, and that keeps
// nothing: what is measured is not the store.
type fixed struct{ chat.Memory }

func (f *fixed) Append(room string, ms []*chat.Message) ([]chat.Stored, error) {
	out := make([]chat.Stored, len(ms))
	for i, m := range ms {
		m.Cursor = chat.Cursor{Epoch: 1 << 63, Seq: 1 << 40}
		out[i].Message = m
	}
	return out, nil
}
