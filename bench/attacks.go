//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// An attack is what one address does to the chat server.
type attack struct {
	name  string
	files int // nofile of the server; 0: as it is
	run   func(ctx context.Context, v *victim) (got string)
}

// attackConns is how many connections a flood has.
const attackConns = 4

// runAttacks starts the chat server with its defaults, on loopback, once for
// each attack, and prints what the attack costs it, its log, and another user.
// Each is bounded in time and in connections.
func runAttacks(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("attacks", flag.ContinueOnError)
	server := f.String("server", "", "`FILE`, a chat server that was built before; default: the one beside")
	span := f.Duration("for", 4*time.Second, "how long each flood lasts")
	only := f.String("only", "", "`TEXT` that the names of the attacks have")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "attacks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *server == "" {
		*server = filepath.Join(dir, "server")
		build := exec.CommandContext(ctx, "go", "build", "-o", *server, "./cmd/server")
		build.Dir, build.Stderr = "..", os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building ../cmd/server: %w", err)
		}
	}
	fmt.Println("| attack, one address | log, KB/s | CPU, share of a core | RSS, MB | another user: p50, ms | p99, ms | what the attacker gets |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- |")
	for _, a := range attacks {
		if !strings.Contains(a.name, *only) {
			continue
		}
		if err := a.measure(ctx, *server, dir, *span); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// A victim is a server under attack.
type victim struct {
	addr string
	pid  int
	log  string
}

var serverURL = regexp.MustCompile(`http://([^/\s]+)`)

func (a *attack) measure(ctx context.Context, server, dir string, span time.Duration) error {
	v := &victim{log: filepath.Join(dir, "log")}
	log, err := os.Create(v.log)
	if err != nil {
		return err
	}
	defer log.Close()
	shell := "exec"
	if a.files > 0 {
		shell = fmt.Sprintf("ulimit -n %d; exec", a.files)
	}
	c := exec.CommandContext(ctx, "/bin/sh", "-c", shell+` "$0" -addr 127.0.0.1:0 -memory -log json -publish-key 0123456789abcdef`, server)
	c.Stderr = log
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Wait()
	defer c.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	m := serverURL.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("the server says %q, %v", line, err)
	}
	v.addr, v.pid = m[1], c.Process.Pid

	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	other := make(chan []time.Duration, 1)
	user, err := v.user(ctx, "other user", "127.0.0.2")
	if err != nil {
		other <- nil
	} else {
		go func() { other <- user.roundTrips(ctx) }()
	}
	begin, cpu := time.Now(), v.cpu()
	got := a.run(ctx, v)
	<-ctx.Done()
	took := time.Since(begin).Seconds()
	cpu = v.cpu() - cpu
	rss := v.rss()
	size := int64(0)
	if info, err := os.Stat(v.log); err == nil {
		size = info.Size()
	}
	trips := <-other
	slices.Sort(trips)
	at := func(q float64) string {
		if len(trips) == 0 {
			return "nothing"
		}
		return fmt.Sprintf("%.1f", trips[int(q*float64(len(trips)-1))].Seconds()*1000)
	}
	fmt.Printf("| %s | %.1f | %.2f | %d | %s | %s | %s |\n", a.name, float64(size)/took/1000, cpu/took, rss, at(0.5), at(0.99), got)
	return nil
}

// cpu is the server's processor time in seconds.
func (v *victim) cpu() float64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", v.pid))
	_, rest, _ := bytes.Cut(data, []byte(") "))
	f := bytes.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(string(f[11]), 64)
	system, _ := strconv.ParseFloat(string(f[12]), 64)
	return (user + system) / 100 // USER_HZ
}

// rss is its memory in MB, the most that it was.
func (v *victim) rss() int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.pid))
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.Atoi(kb)
	return n >> 10
}

// A chatter is a client of the native protocol.
type chatter struct{ c *wsnet.Conn }

// user connects somebody from an address of loopback.
func (v *victim) user(ctx context.Context, name, from string) (*chatter, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	c, err := wsnet.Dial(ctx, "ws://"+v.addr+"/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{"chat.v1.framewright"}, MaxMessage: -1}, HTTPClient: client})
	if err != nil {
		return nil, err
	}
	u := &chatter{c}
	_, err = u.ask(ctx, fmt.Sprintf(`{"type":"hello","name":%q}`, name), `"welcome"`)
	return u, err
}

// ask sends a request, and waits for an event that has answer, or an error.
func (u *chatter) ask(ctx context.Context, request, answer string) (string, error) {
	if err := u.c.Write(ctx, ws.OpText, []byte(request)); err != nil {
		return "", err
	}
	for {
		_, data, err := u.c.Read(ctx)
		switch {
		case err != nil:
			return "", err
		case bytes.Contains(data, []byte(answer)):
			return "", nil
		case bytes.Contains(data, []byte(`"type":"error"`)):
			return string(data), nil
		}
	}
}

// roundTrips sends some messages a second to the lobby, and says how long each
// took to be acknowledged.
func (u *chatter) roundTrips(ctx context.Context) (took []time.Duration) {
	defer u.c.CloseNow()
	u.ask(ctx, `{"type":"join","room":"lobby"}`, `"joined"`)
	for n := 0; ; n++ {
		begin := time.Now()
		if _, err := u.ask(ctx, fmt.Sprintf(`{"type":"send","room":"lobby","id":"%d","text":"x"}`, n), `"ack"`); err != nil {
			return took
		}
		took = append(took, time.Since(begin))
		select {
		case <-time.After(60 * time.Millisecond):
		case <-ctx.Done():
			return took
		}
	}
}

// frame is a masked frame, whose key is zero.
func frame(op byte, payload string) []byte {
	b := []byte{0x80 | op}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// flood sends frames over some connections as fast as they are taken, after
// others, and comes back when it is thrown out, a few times a second.
func flood(path string, first []string, op byte, payload string) func(context.Context, *victim) string {
	return func(ctx context.Context, v *victim) string {
		var sent, conns, refused atomic.Int64
		one := frame(op, payload)
		batch := bytes.Repeat(one, max(1, 16<<10/len(one)))
		var wg sync.WaitGroup
		for range attackConns {
			wg.Go(func() {
				for ctx.Err() == nil {
					conn, err := upgraded(ctx, v.addr, path)
					if err != nil {
						refused.Add(1)
						pause(ctx, 50*time.Millisecond)
						continue
					}
					conns.Add(1)
					stop := context.AfterFunc(ctx, func() { conn.Close() })
					for _, text := range first {
						conn.Write(frame(1, text))
					}
					if len(first) > 0 {
						pause(ctx, 50*time.Millisecond) // until it is in
					}
					go func() { io.Copy(io.Discard, conn); conn.Close() }()
					for {
						n, err := conn.Write(batch)
						sent.Add(int64(n / len(one)))
						if err != nil {
							break
						}
					}
					stop()
					conn.Close()
				}
			})
		}
		begin := time.Now()
		wg.Wait()
		got := fmt.Sprintf("%d/s written, %d connections", int(float64(sent.Load())/time.Since(begin).Seconds()), conns.Load())
		if n := refused.Load(); n > 0 {
			got += fmt.Sprintf(", %d refused", n)
		}
		return got
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// upgraded opens a WebSocket by hand.
func upgraded(ctx context.Context, addr, path string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	protocol := ""
	if path == "/ws" {
		protocol = "Sec-WebSocket-Protocol: chat.v1.framewright\r\n"
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", path, addr, protocol)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(conn)
	status, err := r.ReadString('\n')
	for line := status; err == nil && line != "\r\n"; {
		line, err = r.ReadString('\n')
	}
	conn.SetReadDeadline(time.Time{})
	if err == nil && !strings.Contains(status, " 101 ") {
		err = errors.New(strings.TrimSpace(status))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

const enginePath = "/socket.io/?EIO=4&transport=websocket"

var attacks = []attack{
	{"nothing", 0, func(context.Context, *victim) string { return "" }},
	{"Socket.IO events without a handler", 0, flood(enginePath, []string{"40"}, 1, `42["nobody","x"]`)},
	{"Socket.IO events with bad arguments", 0, flood(enginePath, []string{"40"}, 1, `42["message",{}]`)},
	{"pongs", 0, flood("/ws", nil, 10, "")},
	{"Engine.IO 3", 0, flood(enginePath, nil, 1, "3")},
	{"Engine.IO 6", 0, flood(enginePath, nil, 1, "6")},
	{"Socket.IO 40/nope,", 0, flood(enginePath, nil, 1, "40/nope,")},
	{"62 KB with a long array", 0, flood("/ws", []string{`{"type":"hello","name":"mallory"}`}, 1, `{"type":"typing","room":"r","x":[`+strings.Repeat("1,", 31_000)+`1]}`)},
	{"POST /publish without a key", 0, publishes},
	{"79 guests × 128 rooms", 0, holdRooms},
	{"8,000 half-open HTTP connections", 0, halfOpen},
	{"the same, nofile 300", 300, halfOpen},
}

// publishes asks without a key.
func publishes(ctx context.Context, v *victim) string {
	var n, refused atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: attackConns}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range attackConns {
		wg.Go(func() {
			for ctx.Err() == nil {
				r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+v.addr+"/publish", strings.NewReader("{}"))
				resp, err := client.Do(r)
				if err != nil {
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if n.Add(1); resp.StatusCode == http.StatusTooManyRequests {
					refused.Add(1)
				}
			}
		})
	}
	begin := time.Now()
	wg.Wait()
	return fmt.Sprintf("%d/s answered", int(float64(n.Load())/time.Since(begin).Seconds()))
}

// holdRooms joins rooms as 79 guests; then a newcomer from elsewhere tries.
func holdRooms(ctx context.Context, v *victim) string {
	var joined atomic.Int64
	var wg sync.WaitGroup
	var guests []*chatter
	for g := range 79 {
		u, err := v.user(ctx, fmt.Sprint("greedy ", g), "127.0.0.1")
		if err != nil {
			break
		}
		guests = append(guests, u)
		wg.Go(func() {
			for n := range 128 {
				refusal, err := u.ask(ctx, fmt.Sprintf(`{"type":"join","room":"g%dr%d"}`, g, n), `"joined"`)
				if err != nil || refusal != "" {
					return
				}
				joined.Add(1)
			}
		})
	}
	wg.Wait()
	try := func(room string) string {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		u, err := v.user(ctx, "newcomer for "+room, "127.0.0.3")
		if err != nil {
			return err.Error()
		}
		defer u.c.CloseNow()
		refusal, err := u.ask(ctx, fmt.Sprintf(`{"type":"join","room":%q}`, room), `"joined"`)
		if err != nil {
			return err.Error()
		}
		if _, code, ok := strings.Cut(refusal, `"code":"`); ok {
			code, _, _ = strings.Cut(code, `"`)
			return code
		}
		return "joins"
	}
	got := fmt.Sprintf("%d rooms; a newcomer: lobby %s, a new room %s", joined.Load(), try("lobby"), try("another"))
	for _, u := range guests {
		u.c.CloseNow()
	}
	return got
}

// halfOpen begins 8,000 requests; then somebody from elsewhere comes.
func halfOpen(ctx context.Context, v *victim) string {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	open := 0
	for range 8000 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", v.addr)
		if err != nil {
			break
		}
		io.WriteString(c, "GET / HTTP/1.1\r\nHos")
		conns = append(conns, c)
	}
	newcomer := "is in"
	if _, err := v.user(context.WithoutCancel(ctx), "newcomer", "127.0.0.3"); err != nil {
		newcomer = err.Error()
	}
	<-ctx.Done()
	for _, c := range conns {
		c.SetReadDeadline(time.Now().Add(time.Microsecond))
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
	}
	return fmt.Sprintf("%d of %d connections stay open; a newcomer %s", open, len(conns), newcomer)
}
