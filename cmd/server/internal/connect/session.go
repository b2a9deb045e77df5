package connect

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// A session is a connection with lines as messages.
type session struct {
	*Config
	*Streams
	conn *wsnet.Conn
	came chan struct{} // has something when a message has come

	others sync.WaitGroup // goroutines that tell of what they see
}

func (s *session) run(ctx context.Context) error {
	defer s.others.Wait()
	defer s.conn.CloseNow() // which ends them
	s.note("connected%s", s.agreed())
	read := make(chan error, 1)
	s.others.Go(func() { read <- s.read() })
	if s.Ping > 0 {
		s.others.Go(s.ping)
	}
	stop := make(chan struct{})
	defer close(stop)
	input := lines(s.In, s.Limit, stop)
	for {
		select {
		case line, ok := <-input:
			if !ok {
				return s.finish(ctx, read)
			}
			over, err := s.send(ctx, line)
			switch {
			case over:
				return outcome(<-read)
			case err != nil && s.conn.Err() == nil:
				s.note("%v", err) // the line was wrong, the connection is not
			}
		case err := <-read:
			return outcome(err)
		case <-ctx.Done():
			return s.close(ws.CodeGoingAway, "")
		}
	}
}

// finish waits until nothing has come for a while, and closes.
func (s *session) finish(ctx context.Context, read <-chan error) error {
	for {
		var quiet <-chan time.Time
		if s.Wait >= 0 {
			quiet = time.After(s.Wait)
		}
		select {
		case <-s.came:
		case <-quiet:
			return s.close(ws.CodeNormal, "")
		case err := <-read:
			return outcome(err)
		case <-ctx.Done():
			return s.close(ws.CodeGoingAway, "")
		}
	}
}

func (s *session) close(code ws.Code, reason string) error {
	return outcome(s.conn.Close(context.Background(), code, reason))
}

// agreed is what the handshake has settled.
func (s *session) agreed() string {
	var words []string
	if p := s.conn.Subprotocol(); p != "" {
		words = append(words, "subprotocol "+printable(p))
	}
	if d := s.conn.Response().Header.Get("Sec-Websocket-Extensions"); d != "" {
		words = append(words, printable(d))
	}
	if len(words) == 0 {
		return ""
	}
	return ", " + strings.Join(words, ", ")
}

// note tells a person something that is no message.
func (s *session) note(format string, args ...any) {
	if s.InTTY || s.ErrTTY {
		fmt.Fprintf(s.Err, "(%s)\n", fmt.Sprintf(format, args...))
	}
}

// read shows the messages that come.
func (s *session) read() error {
	for m, err := range s.conn.Messages(context.Background()) {
		if err != nil {
			return err
		}
		s.show(m.Opcode, m.Data)
		select {
		case s.came <- struct{}{}:
		default:
		}
	}
	return s.conn.Err()
}

// show writes a message: a text as it is, but on a terminal without what that would obey;
// bytes in hexadecimal on a terminal, and as they are elsewhere.
func (s *session) show(op ws.Opcode, data []byte) {
	color, plain := "", ""
	if s.colors(s.OutTTY, s.NoColors) {
		color, plain = "\x1b[36m", "\x1b[0m"
	}
	switch {
	case !s.OutTTY && op == ws.OpText:
		fmt.Fprintf(s.Out, "%s\n", data)
	case !s.OutTTY:
		s.Out.Write(data)
	case op == ws.OpText:
		fmt.Fprintf(s.Out, "%s%s%s\n", color, printable(string(data)), plain)
	default:
		const most = 4 << 10
		fmt.Fprintf(s.Out, "%sbinary, %d bytes: % x%s\n", color, len(data), data[:min(len(data), most)], plain)
	}
}

// printable is text without what a terminal would obey.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) && r != '\t' && r != '\n' }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == '\t' || r == '\n' || unicode.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRune(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// ping sends pings until the connection ends.
func (s *session) ping() {
	tick := time.NewTicker(s.Ping)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if rtt, err := s.conn.Ping(s.conn.Context()); err == nil {
				s.note("pong after %v", rtt.Round(time.Microsecond))
			}
		case <-s.conn.Context().Done():
			return
		}
	}
}

// send does what a line says. It reports whether the connection is over now.
func (s *session) send(ctx context.Context, line string) (over bool, err error) {
	command := s.InTTY && strings.HasPrefix(line, "/")
	if command && strings.HasPrefix(line, "//") {
		command, line = false, line[1:]
	}
	if !command {
		op := ws.OpText
		if s.Binary {
			op = ws.OpBinary
		}
		return false, s.conn.Write(ctx, op, []byte(line))
	}
	name, rest, _ := strings.Cut(line[1:], " ")
	switch rest = strings.TrimSpace(rest); name {
	case "ping":
		s.others.Go(func() {
			if rtt, err := s.conn.Ping(s.conn.Context()); err == nil {
				s.note("pong after %v", rtt.Round(time.Microsecond))
			}
		})
		return false, nil
	case "close":
		code, reason, err := closing(rest)
		if err != nil {
			return false, err
		}
		err = s.conn.Close(context.Background(), code, reason)
		return true, err
	case "file":
		return false, s.file(ctx, rest)
	case "binary":
		b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			return false, fmt.Errorf("/binary %s: want bytes in hexadecimal", rest)
		}
		return false, s.conn.Write(ctx, ws.OpBinary, b)
	}
	return false, fmt.Errorf("there is no /%s, only /ping, /close, /file and /binary; // sends a line that begins with /", name)
}

// closing reads the arguments of /close.
func closing(s string) (ws.Code, string, error) {
	if s == "" {
		return ws.CodeNormal, "", nil
	}
	digits, reason, _ := strings.Cut(s, " ")
	code, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return 0, "", fmt.Errorf("/close %s: want a code such as 1000, and a reason", s)
	}
	return ws.Code(code), reason, nil
}

func (s *session) file(ctx context.Context, path string) error {
	if info, err := os.Stat(path); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, s.Limit+1))
	switch {
	case err != nil:
		return err
	case int64(len(b)) > s.Limit:
		return fmt.Errorf("%s is longer than %d bytes, which -limit allows", path, s.Limit)
	case utf8.Valid(b) && !s.Binary:
		return s.conn.Write(ctx, ws.OpText, b)
	}
	return s.conn.Write(ctx, ws.OpBinary, b)
}

// A lockedWriter is for several goroutines.
type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// appendNote is a line in parentheses, for a person.
func appendNote(dst []byte, format string, args ...any) []byte {
	return fmt.Appendf(dst, "(%s)\n", printable(fmt.Sprintf(format, args...)))
}
