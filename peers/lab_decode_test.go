package peers

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"framewright/lab/capture"
)

// TestLabBenches holds the tests of the decoder's page and the workshop's.
func TestLabBenches(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *stage)
	}{
		{"the decoder explains what is pasted", testDecodePaste},
		{"the decoder takes a file", testDecodeFile},
		{"a frame is built, predicted and sent", testWorkshop},
		{"light, dark, wide and narrow", testBenchLooks},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, s) })
	}
}

// bench opens a page of the lab.
func (s *stage) bench(t *testing.T, page string) *chatter {
	t.Helper()
	p, err := s.open(t, page, s.gate.url()+"lab/"+page)
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, page}
	c.until("has its links", "document.querySelector('nav [aria-current]')")
	return c
}

// decodes gives the decoder a text, and lets it be decoded.
func (c *chatter) decodes(text string) {
	c.t.Helper()
	c.must(chromedp.Evaluate[chromedp.Void](withValues("void (document.querySelector('#text').value = %s)", text)), chromedp.Click(chromedp.CSS("#decode")))
}

const (
	benchSaid = "document.querySelector('#status').textContent"
	summaries = "[...document.querySelectorAll('.facts summary')].map(e => e.textContent)"
	benchText = "document.querySelector('main').textContent"
)

func testDecodePaste(t *testing.T, s *stage) {
	c := s.bench(t, "decode")
	c.decodes("81 85 37fa213d 7f9f4d5158 | 89 00")
	c.until("counts", benchSaid+" === %s", "hex: one connection, 2 frames, one rule broken.")
	c.want("shows a line a frame", summaries, []string{"→ client: text, 5 bytes “Hello”", "→ client: ping, 0 bytes  breaks 5.1-client-masks"})
	c.until("says which rule", benchText+".includes(%s)", "a client masks every frame (§5.1)")
	c.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('.facts summary').click()"))
	c.until("shows the bits of what is opened", "document.querySelector('.facts details .bits')?.textContent.includes('0011011111111010')") // the masking key, its first half
	c.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('[value=client]').click()"))
	c.decodes("81 85 37fa213d 7f9f4d5158")
	c.until("judges as the other end", benchText+".includes(%s)", "5.1-server-does-not-mask")
	c.decodes("what is this")
	c.until("says what is wrong", benchSaid+".includes(%s)", `Not decoded: line 1: "what" is not hexadecimal`)
}

// testDecodeFile has the client ask for compression, and the server agree.
func testDecodeFile(t *testing.T, s *stage) {
	pcap := capture.AppendPcap(nil, []capture.Piece{
		{FromClient: true, Data: []byte("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")},
		{Data: []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
			"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00")},
	}, time.Unix(1, 0))
	file := filepath.Join(t.TempDir(), "session.pcap")
	if err := os.WriteFile(file, pcap, 0o600); err != nil {
		t.Fatal(err)
	}
	c := s.bench(t, "decode")
	c.must(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}), chromedp.Click(chromedp.CSS("#decode")))
	c.until("counts", benchSaid+" === %s", "pcap: one connection, one frame, no rule broken.")
	c.want("shows both halves of the handshake, and what the frame inflates to", summaries,
		[]string{"→ client: GET / HTTP/1.1", "← server: HTTP/1.1 101 Switching Protocols", "← server: text, 7 bytes “Hello”"})
}

func testWorkshop(t *testing.T, s *stage) {
	c := s.bench(t, "workshop")
	built := "document.querySelector('#bytes').textContent"
	c.until("builds the first frame", built+" === %s", "81 85 37 fa 21 3d 7f 9f 4d 51 58")
	c.want("waits for a prediction", "document.querySelector('#send').disabled", true)
	predict := func(outcome string) {
		t.Helper()
		c.must(chromedp.Evaluate[chromedp.Void](withValues("{ const p = document.querySelector('#prediction'); p.value = %s; p.dispatchEvent(new Event('change')); }", outcome)))
		c.until("can send", "!document.querySelector('#send').disabled")
		c.must(chromedp.Click(chromedp.CSS("#send")))
	}
	predict("text")
	c.until("was right", benchSaid+".startsWith('As you said: the text comes back.')")
	c.want("shows the dialogue", summaries+".slice(2)", []string{"→ client: text, 5 bytes “Hello”", "← server: text, 5 bytes “Hello”"})

	c.must(chromedp.Click(chromedp.CSS("[name=rsv3]")))
	c.until("has the bit", built+" === %s", "91 85 37 fa 21 3d 7f 9f 4d 51 58")
	c.until("says at once what is wrong with it", "document.querySelector('#built').textContent.includes('5.2-rsv')")
	predict("pong")
	c.until("was wrong", benchSaid+".startsWith('Not as you said. It was: Close, 1002 (protocol error). The connection is over')")

	c.must(chromedp.Click(chromedp.CSS("[name=rsv3]")), chromedp.Click(chromedp.CSS("[name=fin]")))
	c.until("is a first fragment", built+" === %s", "01 85 37 fa 21 3d 7f 9f 4d 51 58")
	c.must(chromedp.Click(chromedp.CSS("#add")), chromedp.Click(chromedp.CSS("[name=fin]")),
		chromedp.Evaluate[chromedp.Void]("{ const o = document.querySelector('#opcode'); o.value = 0; o.dispatchEvent(new Event('input', { bubbles: true })); }"))
	c.until("is the last", built+" === %s", "80 85 37 fa 21 3d 7f 9f 4d 51 58")
	c.must(chromedp.Click(chromedp.CSS("#add")))
	c.until("has both to send", "document.querySelectorAll('#queue li').length === 2")
	predict("text")
	c.until("has the message whole", summaries+".at(-1) === %s", "← server: text, 10 bytes “HelloHello”")

	c.must(chromedp.SendKeys(chromedp.CSS("[name=length]"), "99999"))
	c.must(chromedp.Evaluate[chromedp.Void]("{ const f = document.querySelector('[name=form]'); f.value = '16'; f.dispatchEvent(new Event('input', { bubbles: true })); }"))
	c.until("says what cannot be", "document.querySelector('#wrong').textContent.includes('does not fit 16 bits')")
}

// testBenchLooks holds both pages against looks.js.
func testBenchLooks(t *testing.T, s *stage) {
	for _, page := range []string{"decode", "workshop"} {
		c := s.bench(t, page)
		if page == "decode" {
			c.decodes("81 85 37fa213d 7f9f4d5158 | 89 00")
			c.until("has decoded", "document.querySelector('.facts .bits')")
		} else {
			c.until("has built", "document.querySelector('#built .bits')")
		}
		c.looksGood()
	}
}
