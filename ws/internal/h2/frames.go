package h2

import (
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Frames reads the frames of a peer.
type Frames struct {
	framer *http2.Framer
	bound  bounded
}

// NewFrames returns what reads frames from r, with the limits of e.
func NewFrames(r io.Reader, e *Endpoint) *Frames {
	f := &Frames{bound: bounded{r: r, limit: 2*int64(e.limits.HeaderBytes) + 2*maxFrame}}
	f.framer = http2.NewFramer(nil, &f.bound)
	f.framer.SetReuseFrames()
	f.framer.SetMaxReadFrameSize(maxFrame)
	f.framer.MaxHeaderListSize = uint32(e.limits.HeaderBytes)
	f.framer.ReadMetaHeaders = hpack.NewDecoder(maxTable, nil)
	return f
}

// Next reads one, HEADERS with all of their CONTINUATIONs, and returns what Receive takes,
// or the error that is for Broken. It is valid until the next call.
func (f *Frames) Next() (http2.Frame, error) {
	f.bound.left = f.bound.limit
	frame, err := f.framer.ReadFrame()
	if err == nil || !f.bound.over {
		return frame, err
	}
	return nil, connError(http2.ErrCodeEnhanceYourCalm, "§10.5.1", "HEADERS and CONTINUATIONs without end")
}

// A bounded reader bounds what one frame, with those that continue it, may take: Framer
// bounds a header list, but not the frames without any of it (§10.5.1).
type bounded struct {
	r           io.Reader
	limit, left int64
	over        bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.over = true
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
