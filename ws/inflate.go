package ws

import (
	"strconv"

	"framewright/internal/bucket"
	"framewright/ws/internal/deflate"
)

// A compressed message (RFC 7692 §6) is read by its Receiver like any other, but for
// its content, which shows only when it is inflated: Payload counts the compressed
// bytes, Inflate makes content of them and judges it.

const (
	// inflateRatio is what honest content hardly exceeds: JSON compresses to a tenth,
	// logs to a thirtieth.
	inflateRatio = 32

	// aheadOfRatio is how far a message that is collected inflates ahead of
	// inflateRatio times what came of it. A bomb that stops short of its end stays
	// compressed: a hundred of them wait in a few KiB each, not in the limit of a
	// message.
	aheadOfRatio = 64 << 10

	// maxEmptyBlocks is how many blocks a compressed message may have beyond one for
	// every byte of content: a sender may flush often, but a stream of blocks without
	// content is work for nothing.
	maxEmptyBlocks = 1024
)

// An inflater is the decompressing part of a Receiver.
type inflater struct {
	d       *deflate.Decompressor
	in, out int64         // compressed bytes of the message, and what they inflated to
	seen    int64         // of that, by Content, which stops at the limit
	beyond  bucket.Bucket // what messages inflate to beyond inflateRatio times their size
}

// AllowDeflate says that permessage-deflate was negotiated, as agreed says: a message
// may be compressed. A window of 0 is one of 15 bits.
func (r *Receiver) AllowDeflate(agreed DeflateParams) {
	r.deflate = &inflater{d: deflate.NewDecompressor(agreed.Receiving(r.role))}
}

// Compressed reports whether the current message, or the last, is compressed.
func (r *Receiver) Compressed() bool { return r.compressed }

// Inflate inflates src, the next payload of the current message, into dst, which has
// room. It returns how much it has written and how much of src it has used; there may
// be more to come as long as it fills dst. An error is a *ProtocolError: the content is
// held against the limits and against UTF-8 as Payload holds that of other messages.
func (r *Receiver) Inflate(dst, src []byte) (n, used int, err error) {
	n, used, err = r.deflate.d.Inflate(dst, src)
	return n, used, r.inflatedTo(dst[:n], err)
}

// InflateEnd is Inflate for what follows when all payload of the message was given to
// Inflate and nothing more comes of it. With done the message is complete; n is 0 then.
func (r *Receiver) InflateEnd(dst []byte, now Moment) (n int, done bool, err error) {
	z := r.deflate
	n, over, err := z.d.End(dst)
	if err := r.inflatedTo(dst[:n], err); err != nil || !over || n > 0 {
		return n, false, err
	}
	if err := r.ContentEnd(); err != nil {
		return 0, false, err
	}
	if beyond := z.out - inflateRatio*z.in; beyond > 0 && !take(&z.beyond, now, r.limits.InflateRate, float64(beyond)) {
		return 0, false, RuleInflateRate.Violation("compressed messages inflate to more than InflateRate allows, " + strconv.Itoa(r.limits.InflateRate) + " bytes a second beyond " + strconv.Itoa(inflateRatio) + " times their size")
	}
	z.in, z.out = 0, 0
	return 0, true, nil
}

// inflatedTo judges what came out of the decompressor: p, and err.
func (r *Receiver) inflatedTo(p []byte, err error) error {
	z := r.deflate
	z.out += int64(len(p))
	if err := r.Content(p); err != nil { // what was written before an error is good
		return err
	}
	switch {
	case err != nil:
		return RuleDeflate.Violation(err.Error())
	case int64(z.d.Blocks()) > z.out+maxEmptyBlocks:
		return RuleEmptyBlocks.Violation("compressed message of " + strconv.Itoa(z.d.Blocks()) + " blocks and " + itoa(z.out) + " bytes")
	}
	return nil
}

// InflatesAhead reports whether the current message inflates to so much more than has
// come of it that somebody who collects it should wait for the rest first.
func (r *Receiver) InflatesAhead() bool {
	ends := r.remaining == 0 && r.state == StateReady
	return !ends && r.deflate.out >= aheadOfRatio+inflateRatio*r.deflate.in
}

// Release gives the memory of the decompressor back. The Receiver is not used after it.
func (r *Receiver) Release() {
	if r.deflate != nil {
		r.deflate.d.Release()
	}
}

// Content takes the next bytes that the current message inflates to, and holds
// them against the limit and, for text, against UTF-8, as Payload does with a
// message that is not compressed. An error is a *ProtocolError.
func (r *Receiver) Content(p []byte) error {
	// What is wrong first counts, however much p is at a time.
	fits := p[:min(int64(len(p)), r.limits.MessageSize-r.deflate.seen)]
	at, before := r.deflate.seen, r.text
	r.deflate.seen += int64(len(fits))
	if r.opcode == OpText && !r.text.Write(fits) {
		return notUTF8(RuleTextUTF8, "text message", before, fits, at)
	}
	if len(fits) < len(p) {
		return r.tooBig()
	}
	return nil
}

// ContentEnd says that the current message has inflated to what Content has
// seen and nothing more.
func (r *Receiver) ContentEnd() error {
	if r.opcode == OpText && !r.text.Done() {
		return r.endsInside()
	}
	return nil
}
