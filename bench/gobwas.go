//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"io"
	"net"
	"slices"
	"sync"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// serveGobwas is the loop of gobwas's README for compression, without context,
// at the level that it has there. The readers and writers of DEFLATE are kept
// and reset, as its second example does, by way of a pool: there, too, they
// hold nothing between two messages. Frames are read and written by way of
// bufio, as they are where nothing is compressed.
func serveGobwas(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_ = gobwasConn(c)
		}()
	}
}

func gobwasConn(c net.Conn) error {
	e := wsflate.Extension{Parameters: wsflate.DefaultParameters}
	up := gobwas.Upgrader{Negotiate: e.Negotiate}
	if _, err := up.Upgrade(c); err != nil {
		return err
	}
	r, w := bufio.NewReader(c), bufio.NewWriter(c)
	var payload []byte
	for {
		h, err := gobwas.ReadHeader(r)
		if err != nil || h.Length > 1<<20 {
			return err
		}
		payload = slices.Grow(payload[:0], int(h.Length))[:h.Length]
		if _, err := io.ReadFull(r, payload); err != nil {
			return err
		}
		gobwas.Cipher(payload, h.Mask, 0)
		h.Masked = false
		b := gobwasBuffers.Get().(*gobwasBuffer)
		err = b.echo(w, gobwas.Frame{Header: h, Payload: payload})
		gobwasBuffers.Put(b)
		if err != nil {
			return err
		}
	}
}

// A gobwasBuffer is what one message needs.
type gobwasBuffer struct {
	inflated, deflated bytes.Buffer
	r                  *wsflate.Reader
	w                  *wsflate.Writer
}

var gobwasBuffers = sync.Pool{New: func() any {
	return &gobwasBuffer{
		r: wsflate.NewReader(nil, func(r io.Reader) wsflate.Decompressor { return flate.NewReader(r) }),
		w: wsflate.NewWriter(nil, func(w io.Writer) wsflate.Compressor {
			z, _ := flate.NewWriter(w, 9) // its only error is a wrong level
			return z
		}),
	}
}}

// echo compresses and sends what f has.
func (b *gobwasBuffer) echo(w *bufio.Writer, f gobwas.Frame) error {
	h, compressed, err := wsflate.UnsetBit(f.Header)
	if err != nil {
		return err
	}
	message := f.Payload
	if compressed {
		b.inflated.Reset()
		b.r.Reset(bytes.NewReader(f.Payload))
		if _, err := b.inflated.ReadFrom(b.r); err != nil {
			return err
		}
		message = b.inflated.Bytes()
	}
	b.deflated.Reset()
	b.w.Reset(&b.deflated)
	if _, err := b.w.Write(message); err != nil {
		return err
	}
	if err := b.w.Flush(); err != nil {
		return err
	}
	if h, err = wsflate.SetBit(h); err != nil {
		return err
	}
	h.Length = int64(b.deflated.Len())
	if err := gobwas.WriteHeader(w, h); err != nil {
		return err
	}
	if _, err := b.deflated.WriteTo(w); err != nil {
		return err
	}
	return w.Flush()
}
