package peers

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/lab"
	"framewright/lab/capture"
	"framewright/peers/internal/install"
	"framewright/ws"
	"framewright/ws/wsnet"

	"github.com/google/go-cmp/cmp"
)

// A recording keeps what goes through a connection of the server, in order.
type recording struct {
	mu     sync.Mutex
	pieces []capture.Piece
}

func (r *recording) add(fromClient bool, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := time.Duration(len(r.pieces)) * time.Millisecond
	r.pieces = append(r.pieces, capture.Piece{FromClient: fromClient, At: at, Data: bytes.Clone(b)})
}

type recordedListener struct {
	net.Listener
	to *recording
}

func (l recordedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return recordedConn{c, l.to}, err
}

type recordedConn struct {
	net.Conn
	to *recording
}

func (c recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.to.add(true, p[:n])
	}
	return n, err
}

func (c recordedConn) Write(p []byte) (int, error) {
	c.to.add(false, p)
	return c.Conn.Write(p)
}

// record holds a session between a real client and a real server, and returns its bytes:
// text, binary of each length, a message in fragments, a ping, a closing handshake.
func record(t *testing.T, compression *ws.Compression) []capture.Piece {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rec := &recording{}
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
	srv.Options.Compression = compression
	served := make(chan error, 1)
	go func() { served <- srv.Serve(recordedListener{l, rec}) }()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := wsnet.Dial(ctx, "ws://"+l.Addr().String()+"/echo", &wsnet.DialOptions{
		Options: wsnet.Options{Compression: compression}})
	if err != nil {
		t.Fatal(err)
	}
	echo := func(op ws.Opcode, p []byte) {
		t.Helper()
		if err := c.Write(ctx, op, p); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("echo of %d bytes: %d bytes, %v", len(p), len(got), err)
		}
	}
	echo(ws.OpText, []byte("Grüße"))
	echo(ws.OpText, []byte(strings.Repeat("the same again, ", 40)))
	echo(ws.OpBinary, bytes.Repeat([]byte{0, 1, 2, 3}, 64))
	echo(ws.OpBinary, make([]byte, 70_000))
	echo(ws.OpText, nil)
	if err := c.Close(ctx, ws.CodeNormal, "done"); err != nil {
		t.Fatal(err)
	}
	if err := srv.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	<-served
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.pieces
}

// frameLine is a frame as both name it: its direction, the fields of its header, and what
// it says: the text, inflated, or the code and the reason of a Close frame.
func frameLine(fromClient, fin bool, rsv, opcode uint8, masked bool, key string, length int64, says string) string {
	return fmt.Sprintf("client=%t fin=%t rsv=%d opcode=%d mask=%t key=%s length=%d %.1024q", fromClient, fin, rsv, opcode, masked, key, length, says)
}

// says is what a frame says, if it is one whose payload tshark shows as text.
func says(t *testing.T, e *ws.TraceEvent) string {
	t.Helper()
	switch {
	case e.Header.Opcode == ws.OpClose:
		code, reason, err := ws.ParseClose(e.Payload)
		if err != nil {
			t.Error(err)
		}
		return fmt.Sprintf("%d %s", uint16(code), reason)
	case e.Header.Opcode != ws.OpText:
		return ""
	case e.Compressed:
		return string(e.Content)
	}
	return string(e.Payload)
}

// TestTsharkAgrees holds the decoder, and the pcap that is exported, against Wireshark's
// own dissector.
func TestTsharkAgrees(t *testing.T) {
	dependsOnOtherPrograms(t)
	tshark := got(t, install.Tshark(t.Context())).Path
	for name, compression := range map[string]*ws.Compression{"plain": nil, "deflate": {SendContext: true, ReceiveContext: true}} {
		t.Run(name, func(t *testing.T) {
			b := capture.AppendPcap(nil, record(t, compression), time.Unix(1700000000, 0))
			d, err := lab.Decode(b, ws.RoleServer, capture.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var ours []string
			for _, m := range d.Streams[0].Moment {
				e := m.Event
				if e.Rule != "" {
					t.Errorf("the decoder says that %s is broken: %s", e.Rule, e.Detail)
				}
				if len(e.Wire) == 0 {
					continue
				}
				key := ""
				if e.Header.Masked {
					key = hex.EncodeToString(e.Header.Key[:])
				}
				ours = append(ours, frameLine(!e.Sent, e.Header.Fin, e.Header.RSV, uint8(e.Header.Opcode), e.Header.Masked, key, e.Header.Length, says(t, &e)))
			}
			if len(ours) != 12 || len(d.Streams[0].Notes) > 0 {
				t.Errorf("%d frames, 12 were expected; notes %q", len(ours), d.Streams[0].Notes)
			}
			theirs := dissect(t, tshark, b)
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("(-tshark +decoder)\n%s", diff)
			}
		})
	}
}

// dissect is what tshark says of the frames.
func dissect(t *testing.T, tshark string, pcap []byte) (lines []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "session.pcap")
	if err := os.WriteFile(file, pcap, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tshark, "-r", file, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
		"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-e", "tcp.dstport", "-e", "websocket.fin", "-e", "websocket.rsv", "-e", "websocket.opcode", "-e", "websocket.mask", "-e", "websocket.masking_key",
		"-e", "websocket.payload_length", "-e", "websocket.payload_length_ext_16", "-e", "websocket.payload_length_ext_64", "-e", "websocket.payload.text", "-e", "websocket.payload.close.status_code", "-e", "websocket.payload.close.reason", "-e", "tcp.checksum.status", "-e", "ip.checksum.status", "-e", "_ws.malformed")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, complaint.String())
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 15 {
			t.Fatalf("tshark: %q", line)
		}
		if f[12] != "1" || f[13] != "1" || f[14] != "" {
			t.Errorf("tshark on the packet: checksums %s and %s, malformed %q", f[12], f[13], f[14])
		}
		if f[1] == "" {
			continue
		}
		lines = append(lines, theirFrame(t, f))
	}
	return lines
}

// theirFrame reads one line of tshark, of a packet that has one frame or completes one.
func theirFrame(t *testing.T, f []string) string {
	t.Helper()
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			t.Fatalf("tshark says %q where a number is: %q", s, f)
		}
		return n
	}
	set := func(s string) bool { return s == "1" || s == "True" }
	key := strings.ReplaceAll(strings.TrimPrefix(f[5], "0x"), ":", "")
	length, said := number(f[6]), f[9]
	if extended := f[7] + f[8]; extended != "" {
		length = number(extended)
	}
	if f[10] != "" {
		said = f[10] + " " + f[11]
	}
	return frameLine(f[0] == "80", set(f[1]), uint8(number(f[2])), uint8(number(f[3])), set(f[4]), key, length, said)
}
