package lab

import (
	"encoding/hex"
	"fmt"
	"net/http"

	"framewright/lab/fact"
	"framewright/ws"
)

// The bounds of what the page about compression posts.
const (
	maxTexts      = 20
	maxText       = 4 << 10 // bytes of a message
	maxTextTokens = 512     // of a message that are listed
	maxTextWindow = 256     // bytes of the window that are shown, the last ones
	defaultBits   = 15
	minBits       = 8         // RFC 7692 §7.1.2.1
	maxTextsJSON  = 256 << 10 // bytes of JSON: every character may be escaped
)

// A CompressionPlan is messages that are sent one after another.
type CompressionPlan struct {
	Messages []string `json:"messages"`
	Keep     bool     `json:"keep"` // the context, from message to message (RFC 7692 §7.1.1)
	Bits     int      `json:"bits"` // base-2 logarithm of the window; 0 is 15
}

// A CompressedText is what became of a message.
type CompressedText struct {
	Length     int    `json:"length"`     // bytes, before
	Compressed int    `json:"compressed"` // and after
	Alone      int    `json:"alone"`      // as many if it were the first
	Plain      bool   `json:"plain"`      // it is sent as it is, since compressed it is no shorter
	Sent       int    `json:"sent"`       // bytes of payload that are sent
	Payload    string `json:"payload"`    // compressed, hexadecimal

	Window       string `json:"window"`       // the end of what the window has before the message, hexadecimal
	WindowLength int    `json:"windowLength"` // bytes in it

	Inflate *fact.Inflate `json:"inflate"`
}

// check holds a plan against the bounds.
func (p *CompressionPlan) check() error {
	if p.Bits == 0 {
		p.Bits = defaultBits
	}
	if p.Bits < minBits || p.Bits > defaultBits {
		return fmt.Errorf("a window of %d bits: %d to %d are expected (RFC 7692 §7.1.2)", p.Bits, minBits, defaultBits)
	}
	if len(p.Messages) == 0 || len(p.Messages) > maxTexts {
		return fmt.Errorf("%d messages: 1 to %d are expected", len(p.Messages), maxTexts)
	}
	for i, m := range p.Messages {
		if len(m) > maxText {
			return fmt.Errorf("message %d has %d bytes, the limit is %d", i+1, len(m), maxText)
		}
	}
	return nil
}

// Compress compresses the messages of a plan as a server of package ws does that compresses
// messages of any length, and explains what comes of it.
func Compress(p CompressionPlan) ([]CompressedText, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	all := make([]CompressedText, 0, len(p.Messages))
	kept, follow := fact.NewDeflater(p.Bits), fact.NewFollower(p.Bits, p.Keep)
	var window []byte
	for _, m := range p.Messages {
		alone := fact.NewDeflater(p.Bits).Message([]byte(m))
		payload := alone
		if p.Keep {
			payload = kept.Message([]byte(m))
		}
		follow.Add(payload, int64(len(payload)))
		t := CompressedText{
			Length: len(m), Compressed: len(payload), Alone: len(alone), Sent: len(payload), Payload: hex.EncodeToString(payload),
			Window: hex.EncodeToString(window[max(0, len(window)-maxTextWindow):]), WindowLength: len(window),
			Inflate: follow.End([]byte(m), int64(len(m)), maxTextTokens),
		}
		if !ws.Compressed(len(m), len(payload), p.Keep) {
			t.Plain, t.Sent = true, len(m)
		}
		if p.Keep {
			window = append(window, m...)
			window = window[max(0, len(window)-1<<p.Bits):]
		}
		all = append(all, t)
	}
	return all, nil
}

func postCompression(_ *http.Request, body []byte) (any, error) {
	var p CompressionPlan
	if err := unmarshal(body, &p); err != nil {
		return nil, err
	}
	all, err := Compress(p)
	if err != nil {
		return nil, err
	}
	return map[string]any{"messages": all}, nil
}
