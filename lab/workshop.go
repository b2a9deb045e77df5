package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"framewright/lab/capture"
	"framewright/ws"
)

// The bounds of the workshop, beside those of an Experiment.
const (
	maxPayload = 64 << 10 // bytes of a frame that is built
	maxCuts    = 32       // of one frame
)

// A FrameSpec is a frame as the switches of the workshop have it. Nothing in it need be
// right.
type FrameSpec struct {
	Fin    bool   `json:"fin"`
	RSV    uint8  `json:"rsv"`    // RSV1 is 4, RSV2 2, RSV3 1
	Opcode uint8  `json:"opcode"` // 0 to 15
	Masked bool   `json:"masked"`
	Key    string `json:"key"`    // hexadecimal, 4 bytes; "" is 00000000
	Text   string `json:"text"`   // the payload, or
	Hex    string `json:"hex"`    // the same in hexadecimal, if it is not ""
	Form   string `json:"form"`   // of the length: "" for the shortest, "7", "16" or "64"
	Length string `json:"length"` // what it says; "" for what is true
}

// Bytes returns the header, and the payload, masked if it is to be. An
// error says which field is not what it can be, and what is expected.
func (f *FrameSpec) Bytes() (header, payload []byte, err error) {
	if f.RSV > 7 {
		return nil, nil, fmt.Errorf("rsv is %d: the three bits are 0 to 7", f.RSV)
	}
	if f.Opcode > 0xF {
		return nil, nil, fmt.Errorf("opcode is %d: the four bits are 0 to 15", f.Opcode)
	}
	key, err := f.key()
	if err != nil {
		return nil, nil, err
	}
	payload = []byte(f.Text)
	if f.Hex != "" {
		if payload, err = capture.ParseHex(f.Hex); err != nil {
			return nil, nil, fmt.Errorf("the payload: %w", err)
		}
	}
	if len(payload) > maxPayload {
		return nil, nil, fmt.Errorf("the payload has %d bytes, the limit is %d", len(payload), maxPayload)
	}
	length, err := f.length(len(payload))
	if err != nil {
		return nil, nil, err
	}
	first := f.RSV<<4 | f.Opcode
	if f.Fin {
		first |= 0x80
	}
	header = append([]byte{first}, length...)
	if f.Masked {
		header[1] |= 0x80
		header = append(header, key[:]...)
		ws.Mask(payload, key, 0)
	}
	return header, payload, nil
}

func (f *FrameSpec) key() (key [4]byte, err error) {
	if f.Key == "" || !f.Masked {
		return key, nil
	}
	b, err := capture.ParseHex(f.Key)
	if err != nil {
		return key, fmt.Errorf("the masking key: %w", err)
	}
	if len(b) != len(key) {
		return key, fmt.Errorf("the masking key has %d bytes: 4 are expected, such as 37fa213d", len(b))
	}
	return [4]byte(b), nil
}

// length returns the length's bytes, the first of which has MASK as 0.
func (f *FrameSpec) length(is int) ([]byte, error) {
	says := uint64(is)
	if f.Length != "" {
		n, err := strconv.ParseUint(f.Length, 0, 64)
		if err != nil {
			return nil, fmt.Errorf("the length %.30q is no number of 64 bits: 5, or 0x8000000000000000", f.Length)
		}
		says = n
	}
	form := f.Form
	if form == "" {
		switch {
		case says < 126:
			form = "7"
		case says < 1<<16:
			form = "16"
		default:
			form = "64"
		}
	}
	switch form {
	case "7":
		if says > 127 {
			return nil, fmt.Errorf("the length %d does not fit 7 bits: 0 to 127 does, and 126 and 127 say that more bits follow", says)
		}
		return []byte{byte(says)}, nil
	case "16":
		if says > 0xFFFF {
			return nil, fmt.Errorf("the length %d does not fit 16 bits: 0 to 65535 does", says)
		}
		return binary.BigEndian.AppendUint16([]byte{126}, uint16(says)), nil
	case "64":
		return binary.BigEndian.AppendUint64([]byte{127}, says), nil
	}
	return nil, fmt.Errorf("the length has the form %.30q: \"\", \"7\", \"16\" or \"64\" is expected", form)
}

// A WorkshopStep is a frame to send, cut at some of its bytes, after a pause.
type WorkshopStep struct {
	Frame FrameSpec `json:"frame"`
	Cuts  []int     `json:"cuts"`  // 3: the fourth byte begins a piece of its own
	Pause int       `json:"pause"` // before each piece, in milliseconds
}

// A WorkshopPlan is what the workshop sends.
type WorkshopPlan struct {
	Deflate bool           `json:"deflate"` // the handshake offers permessage-deflate
	Steps   []WorkshopStep `json:"steps"`
}

// Experiment builds the frames, and cuts them.
func (p *WorkshopPlan) Experiment() (*Experiment, error) {
	if len(p.Steps) == 0 {
		return nil, errors.New("there is no frame to send")
	}
	x := &Experiment{Request: Handshake()}
	if p.Deflate {
		x.Request = Handshake(OffersDeflate)
	}
	for i, s := range p.Steps {
		header, payload, err := s.Frame.Bytes()
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i+1, err)
		}
		pieces, err := cut(append(header, payload...), s.Cuts)
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i+1, err)
		}
		if s.Pause < 0 || s.Pause > int(maxPause.Milliseconds()) {
			return nil, fmt.Errorf("frame %d: a pause of %d ms: 0 to %d is expected", i+1, s.Pause, maxPause.Milliseconds())
		}
		for _, b := range pieces {
			x.Steps = append(x.Steps, Step{time.Duration(s.Pause) * time.Millisecond, b})
		}
	}
	return x, x.check()
}

// cut returns b in pieces, each of which begins at one of the places.
func cut(b []byte, places []int) (pieces [][]byte, err error) {
	if len(places) > maxCuts {
		return nil, fmt.Errorf("%d cuts, the limit is %d", len(places), maxCuts)
	}
	places = slices.Sorted(slices.Values(places))
	from := 0
	for _, at := range slices.Compact(places) {
		if at <= 0 || at >= len(b) {
			return nil, fmt.Errorf("a cut at byte %d: the frame has %d bytes, so 1 to %d is expected", at, len(b), len(b)-1)
		}
		pieces = append(pieces, b[from:at])
		from = at
	}
	return append(pieces, b[from:]), nil
}
