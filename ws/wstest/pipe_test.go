package wstest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws/wstest"

	"golang.org/x/net/nettest"
)

func TestPipeIsANetConn(t *testing.T) {
	// TestConn's echo needs 8 bytes under way between two ends that both write
	// before they read: with fewer it is the test that would wait for itself.
	for _, size := range []int{8, 4096, wstest.DefaultPipeSize} {
		nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
			a, b = wstest.PipeSize(size)
			return a, b, func() { a.Close(); b.Close() }, nil
		})
	}
}

func TestPipeBuffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(4)
		done := make(chan error, 1)
		go func() {
			_, err := a.Write([]byte("abcdef"))
			done <- err
		}()
		synctest.Wait() // returns only if the writer is durably blocked
		select {
		case err := <-done:
			t.Fatalf("six bytes went into a buffer of four: %v", err)
		default:
		}
		got := make([]byte, 6)
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "abcdef" {
			t.Fatalf("read %q, %v", got, err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestPipeKeepsOneWriteTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(3)
		for _, c := range "xyz" {
			go a.Write(bytes.Repeat([]byte(string(c)), 10))
		}
		synctest.Wait()
		got := make([]byte, 30)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 30; i += 10 {
			if !bytes.Equal(got[i:i+10], bytes.Repeat(got[i:i+1], 10)) {
				t.Fatalf("interleaved: %q", got)
			}
		}
	})
}

func TestPipeKeepsTheOrder(t *testing.T) {
	a, b := wstest.PipeSize(100)
	var sent, got []byte
	for i := range 1000 {
		// Sizes that leave some unread, and move it around in the buffer.
		chunk := make([]byte, i*7%50)
		for j := range chunk {
			chunk[j] = byte(len(sent) + j)
		}
		sent = append(sent, chunk...)
		a.Write(chunk)
		for len(sent)-len(got) > 50 {
			buf := make([]byte, 1+i*3%31)
			n, _ := b.Read(buf)
			got = append(got, buf[:n]...)
		}
	}
	a.Close()
	rest, err := io.ReadAll(b)
	if got = append(got, rest...); err != nil || !bytes.Equal(sent, got) {
		t.Errorf("sent and received differ: %d and %d bytes, %v", len(sent), len(got), err)
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(4)
		start := time.Now()

		a.SetReadDeadline(start.Add(time.Second))
		if n, err := a.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Read = %d, %v", n, err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("the read deadline took %v", d)
		}

		a.SetWriteDeadline(start.Add(3 * time.Second))
		n, err := a.Write([]byte("abcdef"))
		if n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write = %d, %v; want the 4 bytes that fit, and a timeout", n, err)
		}
		if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
			t.Errorf("%v is not a net.Error with Timeout", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("the write deadline took %v", d)
		}

		// A goroutine that wakes at the moment of the deadline sees it.
		b.SetReadDeadline(start.Add(5 * time.Second))
		time.Sleep(2 * time.Second)
		if _, err := b.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read at its deadline: %v", err)
		}
		// Data outlives a timeout.
		b.SetReadDeadline(time.Time{})
		got := make([]byte, 9)
		if n, err := b.Read(got); string(got[:n]) != "abcd" || err != nil {
			t.Errorf("Read after the deadline was lifted = %q, %v", got[:n], err)
		}
	})
}

func TestPipeDeadlineInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := wstest.Pipe()
		done := make(chan error, 1)
		go func() {
			_, err := a.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		a.SetReadDeadline(time.Unix(1, 0)) // as net/http does to take a connection over
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	})
}

func TestPipeClose(t *testing.T) {
	a, b := wstest.Pipe()
	a.Write([]byte("last words"))
	a.Close()
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Errorf("after the other end closed: %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to a closed end: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
	if err := a.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("SetDeadline after Close: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestPipeCloseWrite(t *testing.T) {
	a, b := wstest.Pipe()
	a.Write([]byte("question"))
	if err := a.(*wstest.Conn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); string(got) != "question" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after CloseWrite: %v", err)
	}
	b.Write([]byte("answer"))
	b.Close()
	if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPipeReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(1)
		reads, writes := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := b.Read(make([]byte, 1))
			reads <- err
		}()
		go func() {
			_, err := b.Write([]byte("more than fits"))
			writes <- err
		}()
		synctest.Wait()
		a.(*wstest.Conn).Reset()
		for name, c := range map[string]chan error{"read": reads, "write": writes} {
			err := <-c
			if oe, ok := errors.AsType[*net.OpError](err); !ok || oe.Op != name || oe.Err != syscall.ECONNRESET {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := a.Read(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read at the end that reset: %v", err)
		}
	})
}

func TestPipeResetLosesData(t *testing.T) {
	a, b := wstest.Pipe()
	a.Write([]byte("lost"))
	a.(*wstest.Conn).Reset()
	if n, err := b.Read(make([]byte, 9)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read = %d, %v", n, err)
	}
}

func TestPipeHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		a, _ := wstest.Pipe()
		a.SetDeadline(time.Now().Add(time.Hour))
		defer a.Close()
	}
	if n := runtime.NumGoroutine() - before; n > 50 {
		t.Errorf("100 pipes brought %d goroutines", n)
	}
}

func BenchmarkPipe(b *testing.B) {
	x, y := wstest.Pipe()
	msg := make([]byte, 512)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		x.Write(msg)
		y.Read(msg)
	}
}
