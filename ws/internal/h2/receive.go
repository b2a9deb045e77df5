package h2

import (
	"errors"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/ws"
)

// An Event is what the owner of an Endpoint has to act on. All other effects of a frame
// show in the streams.
type Event struct {
	Kind   EventKind
	Stream *Stream
	Fields []hpack.HeaderField // in Framer's memory: valid until the next frame is read
	End    bool                // no content follows
	TooBig bool                // the fields are more than Limits.HeaderBytes, and not all there
}

// An EventKind says which.
type EventKind uint8

const (
	NoEvent EventKind = iota
	Request           // server: a stream was opened
	Answer            // client: its final answer came
)

// Receive takes the next frame, at the time now in nanoseconds on any clock. A peer that
// breaks the connection's rules ends it, by a GOAWAY that is to be sent yet, and by an
// *Error that stays the same; what breaks a stream's rules resets that stream.
func (e *Endpoint) Receive(f http2.Frame, now int64) (Event, error) {
	if e.failed != nil {
		return Event{}, e.failed
	}
	settings, isSettings := f.(*http2.SettingsFrame)
	if !e.settled && (!isSettings || settings.IsAck()) {
		// "This sequence MUST be followed by a SETTINGS frame" (§3.4)
		return Event{}, e.fail(connError(http2.ErrCodeProtocol, "§3.4", "the first frame is "+f.Header().Type.String()+", SETTINGS are needed"))
	}
	switch f := f.(type) {
	case *http2.SettingsFrame:
		return Event{}, e.settings(f, now)
	case *http2.MetaHeadersFrame:
		return e.headers(f, now)
	case *http2.DataFrame:
		return Event{}, e.data(f, now)
	case *http2.WindowUpdateFrame:
		return Event{}, e.windowUpdate(f, now)
	case *http2.RSTStreamFrame:
		return Event{}, e.rstStream(f, now)
	case *http2.PingFrame:
		if !f.IsAck() {
			// "Receivers of a PING frame that does not include an ACK flag MUST
			// send a PING frame with the ACK flag set in response, with an
			// identical frame payload." (§6.7)
			e.frames.WritePing(true, f.Data)
		}
		return Event{}, e.charge(1, now)
	case *http2.GoAwayFrame:
		return Event{}, e.goAway(f, now)
	case *http2.PushPromiseFrame:
		return Event{}, e.fail(connError(http2.ErrCodeProtocol, "§8.4", "PUSH_PROMISE, which nobody may send here"))
	default:
		// PRIORITY is deprecated; "Implementations MUST discard frames that have
		// unknown or unsupported types." (§5.5)
		return Event{}, e.charge(1, now)
	}
}

// Broken takes an error of reading a frame: of a frame that is malformed in itself, or of
// the connection below. It returns nil if the connection goes on.
func (e *Endpoint) Broken(err error, now int64) error {
	if e.failed != nil {
		return e.failed
	}
	if s, ok := errors.AsType[http2.StreamError](err); ok {
		return e.malformed(s.StreamID, s.Code, now)
	}
	if c, ok := errors.AsType[http2.ConnectionError](err); ok {
		return e.fail(connError(http2.ErrCode(c), "§5.4.1", "a frame that is malformed"))
	}
	if errors.Is(err, http2.ErrFrameTooLarge) {
		return e.fail(connError(http2.ErrCodeFrameSize, "§4.2", "a frame of more than "+strconv.Itoa(maxFrame)+" bytes"))
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return e.fail(own)
	}
	e.end(&Error{Code: http2.ErrCodeCancel, Detail: "the connection broke: " + err.Error(), Remote: true})
	return e.failed
}

// malformed resets a stream of which a frame is malformed.
func (e *Endpoint) malformed(id uint32, code http2.ErrCode, now int64) error {
	if e.server && id%2 == 1 && id > e.last {
		e.last = id // its HEADERS came, such as they were
	}
	if s := e.streams[id]; s != nil {
		e.Reset(s, code)
	} else {
		e.reset(id, code)
	}
	return e.charge(1, now)
}

// settings takes what the peer says of itself (§6.5).
func (e *Endpoint) settings(f *http2.SettingsFrame, now int64) error {
	if err := e.charge(1+f.NumSettings()/8, now); err != nil || f.IsAck() {
		return err
	}
	e.settled = true
	for i := range f.NumSettings() {
		s := f.Setting(i)
		if err := e.setting(s); err != nil {
			return e.fail(err)
		}
	}
	return e.frames.WriteSettingsAck()
}

// setting takes one of them.
func (e *Endpoint) setting(s http2.Setting) *Error {
	if err := s.Valid(); err != nil && s.ID != http2.SettingEnableConnectProtocol {
		code := http2.ErrCodeProtocol
		if c, ok := err.(http2.ConnectionError); ok {
			code = http2.ErrCode(c)
		}
		return connError(code, "§6.5.2", s.ID.String()+" is "+strconv.FormatUint(uint64(s.Val), 10))
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		e.enc.SetMaxDynamicTableSize(min(s.Val, maxTable))
	case http2.SettingMaxConcurrentStreams:
		e.peerStreams = int(min(s.Val, 1<<20))
	case http2.SettingInitialWindowSize:
		return e.resize(int64(s.Val))
	case http2.SettingEnableConnectProtocol:
		if e.server {
			return nil // a server has no use for it
		}
		on, err := ws.CheckConnectSetting(e.connect, s.Val)
		if err != nil {
			return connError(http2.ErrCodeProtocol, "§6.5.2", err.Error())
		}
		e.connect = on
	}
	return nil
}

// resize changes the window of every stream: "a receiver MUST adjust the size of all
// stream flow-control windows that it maintains by the difference between the new value
// and the old value" (§6.9.2), below 0 if need be.
func (e *Endpoint) resize(window int64) *Error {
	by := window - e.peerWindow
	e.peerWindow = window
	for _, s := range e.streams {
		if s.outWindow += by; s.outWindow > maxWindow {
			return connError(http2.ErrCodeFlowControl, "§6.9.2", "a window of more than 2^31-1 bytes")
		}
		e.queue(s)
	}
	return nil
}

// windowUpdate lets more be sent (§6.9).
func (e *Endpoint) windowUpdate(f *http2.WindowUpdateFrame, now int64) error {
	if err := e.chargeUpdate(now); err != nil {
		return err
	}
	if f.StreamID == 0 {
		if e.outWindow += int64(f.Increment); e.outWindow > maxWindow {
			return e.fail(connError(http2.ErrCodeFlowControl, "§6.9.1", "the connection's window of more than 2^31-1 bytes"))
		}
		return nil
	}
	s, err := e.known(f.Header())
	if s == nil || err != nil {
		return err
	}
	if s.outWindow += int64(f.Increment); s.outWindow > maxWindow {
		e.Reset(s, http2.ErrCodeFlowControl)
		return nil
	}
	e.queue(s)
	return nil
}

// rstStream ends a stream at the peer's wish (§6.4). What came before can still be read.
func (e *Endpoint) rstStream(f *http2.RSTStreamFrame, now int64) error {
	if err := e.charge(1, now); err != nil {
		return err
	}
	s, err := e.known(f.Header())
	if s == nil || err != nil {
		return err
	}
	s.err = &Error{Code: f.ErrCode, Detail: "stream reset by the peer", Stream: s.ID, Remote: true}
	s.outBuf = buffer{}
	e.remove(s)
	s.wake()
	return nil
}

// goAway notes that the peer opens no more streams, or wants none (§6.8). Of this end's,
// those above the last that it has seen are over.
func (e *Endpoint) goAway(f *http2.GoAwayFrame, now int64) error {
	e.left = true
	if !e.server {
		for _, s := range e.streams {
			if s.ID > f.LastStreamID {
				s.err = &Error{Code: http2.ErrCodeRefusedStream, Detail: "the peer goes away and has not seen the stream: " + f.ErrCode.String(), Stream: s.ID, Remote: true}
				s.outBuf = buffer{}
				e.remove(s)
				s.wake()
			}
		}
	}
	return e.charge(1, now)
}

// known returns the stream of a frame; nil if it is over. Only HEADERS and PRIORITY may
// come for one that was never opened (§5.1).
func (e *Endpoint) known(h http2.FrameHeader) (*Stream, error) {
	if s := e.streams[h.StreamID]; s != nil {
		return s, nil
	}
	if h.StreamID%2 == 0 || h.StreamID > e.last {
		return nil, e.fail(connError(http2.ErrCodeProtocol, "§5.1", h.Type.String()+" on stream "+strconv.FormatUint(uint64(h.StreamID), 10)+", which nobody has opened"))
	}
	return nil, nil
}
