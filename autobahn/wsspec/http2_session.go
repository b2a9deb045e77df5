package wsspec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	h2Window  = 1 << 20   // bytes of a stream that the testee may send ahead
	h2Streams = 256       // that a client may have open on a connection
	h2Waiting = 256 << 10 // bytes for the socket beyond which streams wait
	h2Unsent  = 4 << 20   // and the whole connection is given up
	h2Frame   = 16384     // of DATA at the most, and the least that all take (RFC 9113 §4.2)
	h2Linger  = 2 * time.Second
)

// An h2Session is one connection of HTTP/2, in either role, as far as the suite needs
// that to carry WebSocket connections (RFC 8441): it judges no more of HTTP/2 than what
// those stand on. One goroutine reads, one writes.
type h2Session struct {
	nc     net.Conn
	server bool
	cut    bool                  // Settings.CutData
	arrive func(*h2Stream) error // server: takes a stream whose request has come

	wrote, read chan struct{} // closed when those goroutines have ended

	mu      sync.Mutex
	changed sync.Cond // anything below
	out     bytes.Buffer
	framer  *http2.Framer // writes to out
	fields  bytes.Buffer
	hpack   *hpack.Encoder // writes to fields
	streams map[uint32]*h2Stream
	next    uint32
	settled bool  // the testee's SETTINGS have come
	connect bool  // and have SETTINGS_ENABLE_CONNECT_PROTOCOL
	window  int64 // bytes that the testee takes on all streams
	initial int64 // and on a new one
	closing bool
	err     error // of the connection
}

func newH2Session(nc net.Conn, server, cut bool) *h2Session {
	s := &h2Session{nc: nc, server: server, cut: cut, streams: map[uint32]*h2Stream{}, next: 1, window: 65535, initial: 65535,
		wrote: make(chan struct{}), read: make(chan struct{})}
	s.changed.L = &s.mu
	s.framer = http2.NewFramer(&s.out, nil)
	s.hpack = hpack.NewEncoder(&s.fields)
	settings := []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: h2Window}}
	if server {
		settings = append(settings, http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: h2Streams})
	} else {
		s.out.WriteString(http2.ClientPreface)
		settings = append(settings, http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	}
	s.framer.WriteSettings(settings...)
	s.framer.WriteWindowUpdate(0, 1<<30)
	return s
}

func (s *h2Session) start() {
	go s.writeAll()
	go s.readAll()
}

// fail ends the connection and all of its streams. It has mu.
func (s *h2Session) fail(err error) {
	if s.err == nil {
		s.err = err
		s.nc.Close()
	}
	s.changed.Broadcast()
}

// close sends what is there, closes the connection, and returns when nothing runs.
func (s *h2Session) close() {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		s.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		s.nc.SetWriteDeadline(time.Now().Add(h2Linger))
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	<-s.wrote
	s.nc.Close()
	<-s.read
}

func (s *h2Session) writeAll() {
	defer close(s.wrote)
	var b []byte
	for {
		s.mu.Lock()
		for s.out.Len() == 0 && !s.closing && s.err == nil {
			s.changed.Wait()
		}
		if s.out.Len() == 0 || s.err != nil {
			s.mu.Unlock()
			return
		}
		b = append(b[:0], s.out.Bytes()...)
		s.out.Reset()
		s.changed.Broadcast()
		s.mu.Unlock()
		if _, err := s.nc.Write(b); err != nil {
			s.mu.Lock()
			s.fail(err)
			s.mu.Unlock()
			return
		}
	}
}

func (s *h2Session) readAll() {
	defer close(s.read)
	err := s.readFrames()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == io.EOF {
		err = fmt.Errorf("the HTTP/2 connection ended below its streams: %w", syscall.ECONNRESET)
	}
	s.fail(err)
}

func (s *h2Session) readFrames() error {
	br := bufio.NewReader(s.nc)
	if s.server {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(br, preface); err != nil {
			return err
		}
		if string(preface) != http2.ClientPreface {
			return errors.New("what connects does not begin with the preface of HTTP/2 (RFC 9113 §3.4)")
		}
	}
	in := http2.NewFramer(nil, br)
	in.SetReuseFrames()
	in.MaxHeaderListSize = maxHead
	in.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		f, err := in.ReadFrame()
		if err != nil {
			return err
		}
		s.mu.Lock()
		err = s.take(f)
		if err == nil && s.out.Len() > h2Unsent {
			err = errors.New("the testee sends and does not read")
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// take does what a frame says. It has mu.
func (s *h2Session) take(f http2.Frame) error {
	st := s.streams[f.Header().StreamID]
	switch f := f.(type) {
	case *http2.SettingsFrame:
		return s.settings(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			return s.framer.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			s.window += int64(f.Increment)
		} else if st != nil {
			st.window += int64(f.Increment)
		}
	case *http2.MetaHeadersFrame:
		return s.headers(st, f)
	case *http2.DataFrame:
		if n := f.Header().Length; n > 0 {
			s.framer.WriteWindowUpdate(0, n)
		}
		if st != nil {
			return st.data(f)
		}
	case *http2.RSTStreamFrame:
		if st != nil {
			st.reset(f.ErrCode)
		}
	}
	return nil
}

func (s *h2Session) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	s.settled = true
	f.ForeachSetting(func(set http2.Setting) error {
		switch set.ID {
		case http2.SettingInitialWindowSize:
			for _, st := range s.streams {
				st.window += int64(set.Val) - s.initial // RFC 9113 §6.9.2
			}
			s.initial = int64(set.Val)
		case http2.SettingEnableConnectProtocol:
			s.connect = set.Val == 1
		case http2.SettingHeaderTableSize:
			s.hpack.SetMaxDynamicTableSize(min(set.Val, 4096))
		}
		return nil
	})
	return s.framer.WriteSettingsAck()
}

// headers takes a request or an answer.
func (s *h2Session) headers(st *h2Stream, f *http2.MetaHeadersFrame) error {
	switch {
	case f.Truncated:
		return fmt.Errorf("a header list of more than %d bytes", maxHead)
	case st != nil && s.server:
		st.endIf(f.StreamEnded()) // trailers
		return nil
	case st != nil:
		st.answered(f)
		return nil
	case !s.server:
		return nil
	case len(s.streams) >= h2Streams:
		return s.framer.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
	}
	head, wrong := requestOf(f)
	if wrong != "" {
		s.send(f.StreamID, true, []hpack.HeaderField{{Name: ":status", Value: "400"}, {Name: "sec-websocket-wrong", Value: wrong}})
		return nil
	}
	st = s.newStream(f.StreamID)
	st.in.Write(head)
	st.endIf(f.StreamEnded())
	return s.arrive(st)
}

// newStream has mu.
func (s *h2Session) newStream(id uint32) *h2Stream {
	st := &h2Stream{s: s, id: id, window: s.initial}
	s.streams[id] = st
	return st
}

// send sends HEADERS, in as many frames as they need. It has mu.
func (s *h2Session) send(id uint32, end bool, fields []hpack.HeaderField) {
	s.fields.Reset()
	for _, f := range fields {
		s.hpack.WriteField(f)
	}
	b := s.fields.Bytes()
	n := min(len(b), h2Frame)
	s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:n], EndStream: end, EndHeaders: n == len(b)})
	for b = b[n:]; len(b) > 0; b = b[n:] {
		n = min(len(b), h2Frame)
		s.framer.WriteContinuation(id, n == len(b), b[:n])
	}
}
