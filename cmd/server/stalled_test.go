//go:build linux

// Linux only: sockets that are soon full, and the resident memory of another
// process.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"framewright/chat/plain"
	"framewright/ws/wsnet"
)

// Row 70, with the real program: of all connections to a room, half stop
// reading. They are closed as too slow, the server's memory stays under the sum
// of what the queues may hold, and nobody else waits for them: how much longer
// the others' messages take is reported, not judged, because the machine has
// its part in it. FRAMEWRIGHT_LONG=1 makes it 1,000 connections.
func TestStalledReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	half, messages := 30, 200
	if long() {
		half, messages = 500, 400
	}
	without := runStalled(t, half, 0, messages)
	with := runStalled(t, half, half, messages)
	for _, r := range []stalledRun{without, with} {
		t.Logf("%d readers, %d stalled (%d closed because their queue was full): a message took %v (p50), %v (p99), %v (max); resident memory %d MiB at most, of %d MiB that all queues may hold",
			half, r.stalled, r.slow, r.p50, r.p99, r.max, r.resident>>20, r.bound>>20)
	}
	t.Logf("p99 with stalled readers is %.2f times that without", float64(with.p99)/float64(without.p99))
}

type stalledRun struct {
	stalled         int
	p50, p99, max   time.Duration
	resident, bound int64
	slow            int64 // of the stalled, those whose queue was full
}

const stalledQueue = 256 << 10

func runStalled(t *testing.T, readers, stalled, messages int) stalledRun {
	p := spawn(t, "-memory", "-queue", strconv.Itoa(stalledQueue), "-max-text", "8192", "-log-level", "error",
		"-handshake-rate", "0", "-max-per-address", "0", "-max-sessions-per-person", "0", "-max-members", "1",
		"-message-rate", "0", "-person-rate", "0", "-request-rate", "0", "-keep", "100", "-history", "0")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	defer func() {
		p.cmd.Process.Kill()
		p.wait(t)
	}()

	// Which message is under way, since when, and how many have not got it.
	var sent atomic.Int64
	var began atomic.Pointer[time.Time]
	var waiting sync.WaitGroup
	took := make([][]time.Duration, readers)

	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range readers {
		c := stalledJoin(t, ctx, p.url, nil)
		defer c.CloseNow()
		wg.Go(func() {
			var buf []byte
			for n := int64(1); ; {
				_, data, err := c.ReadAppend(ctx, buf[:0])
				if err != nil {
					return
				}
				buf = data
				if strings.HasPrefix(string(data[:min(20, len(data))]), `{"type":"message"`) {
					if sent.Load() != n {
						t.Errorf("reader %d got message %d as its %d.", i, sent.Load(), n)
						return
					}
					took[i] = append(took[i], time.Since(*began.Load()))
					n++
					waiting.Done()
				}
			}
		})
	}
	small := &http.Client{Transport: &http.Transport{DialContext: smallWindow}}
	for range stalled {
		defer stalledJoin(t, ctx, p.url, small).CloseNow()
	}
	sender := stalledJoin(t, ctx, p.url, nil)
	defer sender.CloseNow()
	wg.Go(func() {
		for range sender.Messages(ctx) {
		}
	})

	r := stalledRun{stalled: stalled, bound: int64(readers+stalled) * stalledQueue}
	text := strings.Repeat("x", 8000)
	for n := range messages {
		waiting.Add(readers)
		sent.Add(1)
		now := time.Now()
		began.Store(&now)
		write(t, sender, fmt.Sprintf(`{"type":"send","room":"hall","id":"%d","text":"%s"}`, n, text))
		if !waitFor(ctx, &waiting) {
			t.Fatalf("message %d did not get to all\n%s", n, tail(p.stderr.String()))
		}
		if n%10 == 0 {
			r.resident = max(r.resident, metric(t, p.url, "process_resident_memory_bytes"))
		}
	}
	// They are closed when their queue is full or, should the kernel have taken
	// everything, when a write does not go on.
	for metric(t, p.url, "framewright_connections") > int64(readers)+1 {
		if ctx.Err() != nil {
			t.Fatalf("%d connections are open, want %d", metric(t, p.url, "framewright_connections"), readers+1)
		}
		r.resident = max(r.resident, metric(t, p.url, "process_resident_memory_bytes"))
		time.Sleep(50 * time.Millisecond) // another process's state can only be asked for
	}
	r.slow = metric(t, p.url, `framewright_sessions_ended_total{reason="slow"}`)
	if lost := metric(t, p.url, `framewright_sessions_ended_total{reason="lost"}`); r.slow+lost != int64(stalled) {
		t.Errorf("%d sessions were too slow and %d were lost, want %d in all", r.slow, lost, stalled)
	}
	if n := metric(t, p.url, "framewright_sessions"); n != int64(readers)+1 {
		t.Errorf("%d sessions are left, want %d", n, readers+1)
	}
	if long() && stalled > 0 && r.resident >= r.bound { // a small number of queues is less than a program
		t.Errorf("resident memory %d bytes, and all queues together may hold %d", r.resident, r.bound)
	}
	cancel()
	wg.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	r.p50, r.p99, r.max = all[len(all)/2], all[len(all)*99/100], all[len(all)-1]
	return r
}

func waitFor(ctx context.Context, wg *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// smallWindow dials with a receive buffer that is soon full, and with segments
// as on Ethernet: with the 64 KiB of a loopback the kernel would take megabytes
// for each connection.
func smallWindow(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		e := c.Control(func(fd uintptr) {
			err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1400))
		})
		return errors.Join(e, err)
	}}
	return d.DialContext(ctx, network, addr)
}

// stalledJoin connects and joins. All are one person, so that nobody hears of
// anybody's coming and going.
func stalledJoin(t *testing.T, ctx context.Context, url string, client *http.Client) *wsnet.Conn {
	t.Helper()
	c, err := wsnet.Dial(ctx, url+"/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}, PingInterval: -1}, HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, `{"type":"hello","name":"Everybody","secret":"0123456789abcdef"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"hall"}`)
	if got := read(t, c); !strings.HasPrefix(got, `{"type":"joined"`) {
		t.Fatal(got)
	}
	return c
}

// metric asks for the value of one.
func metric(t *testing.T, url, name string) int64 {
	t.Helper()
	_, _, body := get(t, url+"/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(line)
			}
			return int64(f)
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
