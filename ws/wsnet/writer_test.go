package wsnet_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// How what is written is cut into fragments: whole frames as "op RSV1 fin length".
func TestWriterCuts(t *testing.T) {
	type frame struct {
		Op         ws.Opcode
		Compressed bool
		Fin        bool
	}
	const text, cont = ws.OpText, ws.OpContinuation
	write := func(sizes ...int) func(*wsnet.MessageWriter) {
		return func(w *wsnet.MessageWriter) {
			for _, n := range sizes {
				if got, err := io.WriteString(w, strings.Repeat("x", n)); got != n || err != nil {
					panic(err)
				}
			}
		}
	}
	for _, tt := range []struct {
		name    string
		deflate bool
		do      func(*wsnet.MessageWriter)
		want    []frame
		sizes   []int // without compression
	}{
		{"nothing", false, write(), []frame{{text, false, true}}, []int{0}},
		{"less than 4 KiB", false, write(2000, 2095), []frame{{text, false, true}}, []int{4095}},
		{"4 KiB", false, write(4096), []frame{{text, false, false}, {cont, false, true}}, []int{4096, 0}},
		{"4 KiB in sum", false, write(4095, 1), []frame{{text, false, false}, {cont, false, true}}, []int{4095, 1}},
		{"a little and much", false, write(1, 5000, 1), []frame{{text, false, false}, {cont, false, false}, {cont, false, true}}, []int{1, 5000, 1}},
		{"a little, and 4 KiB", false, write(1, 4096), []frame{{text, false, false}, {cont, false, false}, {cont, false, true}}, []int{1, 4096, 0}},
		{"flushed", false, func(w *wsnet.MessageWriter) { w.Flush(); write(1)(w); w.Flush(); w.Flush(); write(2)(w) }, []frame{{text, false, false}, {cont, false, true}}, []int{1, 2}},
		{"asked to be compressed, where nothing is", false, func(w *wsnet.MessageWriter) { w.SetCompression(true); write(10)(w) }, []frame{{text, false, true}}, []int{10}},

		{"compressed, less than 64 KiB", true, write(65535), []frame{{text, true, true}}, nil},
		{"compressed, 64 KiB in sum", true, write(65535, 1), []frame{{text, true, false}, {cont, false, true}}, nil},
		{"compressed, 64 KiB", true, write(65536), []frame{{text, true, false}, {cont, false, true}}, nil},
		{"as short as Threshold", true, write(100), []frame{{text, true, true}}, nil},
		{"shorter", true, write(99), []frame{{text, false, true}}, []int{99}},
		{"short in parts", true, func(w *wsnet.MessageWriter) { write(1)(w); w.Flush(); write(1)(w) }, []frame{{text, true, false}, {cont, false, true}}, nil},
		{"not to be compressed", true, func(w *wsnet.MessageWriter) { w.SetCompression(false); write(5000)(w) }, []frame{{text, false, false}, {cont, false, true}}, []int{5000, 0}},
		{"after all", true, func(w *wsnet.MessageWriter) { w.SetCompression(false); w.SetCompression(true); write(200)(w) }, []frame{{text, true, true}}, nil},
		{"too late", true, func(w *wsnet.MessageWriter) { write(1)(w); w.Flush(); w.SetCompression(false); write(5000)(w) }, []frame{{text, true, false}, {cont, false, true}}, nil},
		{"too late, the other way", true, func(w *wsnet.MessageWriter) {
			w.SetCompression(false)
			write(1)(w)
			w.Flush()
			w.SetCompression(true)
			write(5000)(w)
		}, []frame{{text, false, false}, {cont, false, false}, {cont, false, true}}, []int{1, 5000, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &wsnet.Options{PingInterval: -1, Compression: &ws.Compression{Threshold: 100}}
				c, p := wwConn(t, o, tt.deflate, 1<<20, 0)
				w, err := c.Writer(t.Context(), ws.OpText)
				if err != nil {
					t.Fatal(err)
				}
				tt.do(w)
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				var frames []frame
				var sizes []int
				for len(frames) == 0 || !frames[len(frames)-1].Fin {
					f := p.ReadFrame("a fragment")
					frames = append(frames, frame{f.Opcode, f.RSV == ws.RSV1, f.Fin})
					sizes = append(sizes, len(f.Payload))
				}
				if diff := cmp.Diff(tt.want, frames); diff != "" {
					t.Errorf("the frames (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.sizes, sizes); diff != "" && tt.sizes != nil {
					t.Errorf("their payloads' lengths (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Whoever gives up waiting for a Writer, or comes after the Close frame, leaves the lock
// to others.
func TestWriterRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		first, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := c.Writer(ctx, ws.OpText); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("behind another: %v", err)
			}
			if _, err := c.Writer(ctx, ws.OpText); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("afterwards: %v", err)
			}
			cancel()
		}
		for _, op := range []ws.Opcode{ws.OpContinuation, ws.OpPing, ws.OpClose, 3} {
			if _, err := c.Writer(t.Context(), op); !errors.Is(err, ws.ErrOpcode) {
				t.Errorf("%v: %v", op, err)
			}
		}
		first.Close()
		p.WantFrame("the first", wstest.Text(""))
		closed := ctAsync(func() error { return c.Close(t.Context(), 4000, "") })
		p.WantClose("ours", 4000, "")
		ctTook(t, "all after it", 0, func() {
			for range 3 {
				_, err := c.Writer(t.Context(), ws.OpText)
				ctCloseError(t, "after the Close frame", err, 4000, false)
			}
		})
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// An error ends the message: nothing of that Write counts, and all that follow say why.
func TestWriterErrors(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name  string
		write []string // the last one fails
		want  error
	}{
		{"not UTF-8", []string{"\xff"}, ws.ErrNotUTF8},
		{"not UTF-8 in the second", []string{"ok", "\xff"}, ws.ErrNotUTF8},
		{"a stream that is full", []string{long}, context.DeadlineExceeded},
		{"what was gathered does not fit", []string{"ok", long}, context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := wwConn(t, wwOptions(), false, 4, 4)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				w, err := c.Writer(ctx, ws.OpText)
				if err != nil {
					t.Fatal(err)
				}
				for i, s := range tt.write {
					n, err := io.WriteString(w, s)
					if i == len(tt.write)-1 && (n != 0 || !errors.Is(err, tt.want)) || i < len(tt.write)-1 && (n != len(s) || err != nil) {
						t.Errorf("Write %d: %d, %v", i, n, err)
					}
				}
				n, err := io.WriteString(w, "more")
				for name, err := range map[string]error{"Write": err, "Flush": w.Flush(), "Close": w.Close()} {
					if n != 0 || !errors.Is(err, tt.want) {
						t.Errorf("%s afterwards: %d, %v", name, n, err)
					}
				}
				if c.Err() != nil {
					t.Errorf("nothing was sent, and the connection has ended: %v", c.Err())
				}
				done := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte("another")) })
				p.WantBytes("what was there", make([]byte, 4))
				p.WantFrame("another message", wstest.Text("another"))
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// After Close there is nothing to flush, and no error in closing again.
func TestWriterClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		w, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		if err := w.Flush(); !errors.Is(err, wsnet.ErrWriterClosed) {
			t.Errorf("Flush: %v", err)
		}
		if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, wsnet.ErrWriterClosed) {
			t.Errorf("Write: %d, %v", n, err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		p.WantFrame("the message", wstest.Text(""))
		p.WantIdle("and no more")
	})
}
