package peers

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestLabMeasure holds the tests of the page that measures HTTP and WebSocket.
func TestLabMeasure(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *stage)
	}{
		{"predicted, measured, explained", testMeasure},
		{"by keyboard", testMeasureKeys},
		{"what is out of bounds, and what is stopped", testMeasureRefused},
		{"stopped while it opens", testMeasureOpening},
		{"light, dark, wide and narrow", testMeasureLooks},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, s) })
	}
}

// sets gives an element of the page a value, as its user does.
func (c *chatter) sets(selector, to string) {
	c.t.Helper()
	c.must(chromedp.Evaluate[chromedp.Void](withValues("{ const e = document.querySelector(%s); e.value = %s; e.dispatchEvent(new Event('change', { bubbles: true })); }", selector, to)))
}

// measures has the page measure, with a prediction.
func (c *chatter) measures(most, slowest string) {
	c.t.Helper()
	c.sets("#most", most)
	c.sets("#slowest", slowest)
	c.must(chromedp.Click(chromedp.CSS("#measure")))
	c.until("has measured", measureSaid+" === 'Measured.'")
}

const (
	measureSaid = "document.querySelector('#status').textContent"
	verdicts    = "[...document.querySelectorAll('#verdicts tbody tr')].map(e => e.cells[1].textContent + ', ' + e.cells[3].textContent)"
	// measuredJSON is what the button saves.
	measuredJSON = `(async () => {
		let blob; const make = URL.createObjectURL;
		URL.createObjectURL = (b) => { blob = b; return make.call(URL, b); };
		document.querySelector('#save').click();
		URL.createObjectURL = make;
		return blob.text();
	})()`
)

// figure is a cell of the table, as a number: the row's name, the way's place.
func figure(row string, way int) string {
	return withValues("Number([...document.querySelectorAll('#figures tr')].find(e => e.cells[0].textContent === %s).cells[+%s].textContent.replaceAll(',', ''))", row, strconv.Itoa(way+1))
}

func testMeasure(t *testing.T, s *stage) {
	c := s.bench(t, "measure")
	c.want("wants a prediction first", "document.querySelector('#measure').disabled && document.querySelector('#result').hidden", true)
	c.sets("[name=messages]", "10")
	c.sets("[name=every]", "20")
	c.sets("[name=poll]", "700") // longer than all takes: its latency is the longest, whatever the machine does
	c.measures("websocket", "polling")
	c.want("judges the prediction", verdicts+"[1]", "Short polling, right")
	c.want("the WebSocket is not the costliest", verdicts+"[0]", "WebSocket, not so")

	var m struct {
		Plan struct{ Messages, Size, Every, Poll int }
		Ways []struct {
			Way      string
			Requests int
			Pushed   int
			Up, Down struct{ Heads, Framing, Envelope, Messages, Total int }
		}
		Browser []struct {
			Way       string
			Requests  int
			Median    float64
			Worst     float64
			Latencies []float64
		}
	}
	if err := json.Unmarshal([]byte(value[string](c, measuredJSON)), &m); err != nil || len(m.Ways) != 4 || m.Plan.Poll != 700 {
		t.Fatalf("%v: %+v", err, m)
	}
	for i, w := range m.Ways {
		if sum := w.Down.Heads + w.Down.Framing + w.Down.Envelope + w.Down.Messages; sum != w.Down.Total || w.Down.Messages != 200 {
			t.Errorf("%s: %+v", w.Way, w.Down)
		}
		// What the page shows is what the server has measured.
		c.want("shows the requests of "+w.Way, figure("HTTP requests", i), w.Requests)
		c.want("shows the bytes of "+w.Way, figure("bytes to the client", i), w.Down.Total)
		if pushes := w.Way == "events" || w.Way == "websocket"; pushes && (w.Requests != 1 || w.Pushed != 10) || w.Way == "polling" && w.Pushed != 0 {
			t.Errorf("%s: %d requests, %d pushed", w.Way, w.Requests, w.Pushed)
		}
	}
	c.want("has a bar and dots for each way", "document.querySelectorAll('#bytes svg').length + ' ' + document.querySelectorAll('#latencies .dot').length", "4 40")
	if len(m.Browser) != 4 {
		t.Fatalf("by the browser: %+v", m.Browser)
	}
	for _, w := range m.Browser {
		pushes := w.Way == "events" || w.Way == "websocket"
		if len(w.Latencies) != 10 || slices.Min(w.Latencies) < 0 || slices.Max(w.Latencies) != w.Worst || w.Median > w.Worst || pushes != (w.Requests == 1) {
			t.Errorf("by the browser: %+v", w)
		}
	}
	c.want("shows the browser's own", "document.querySelectorAll('#browsed tbody tr').length + ' ' + document.querySelectorAll('#browsed .dot').length", "4 40")

	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('#why summary').forEach(e => e.click())"))
	c.until("shows a poll as it went, with this browser's own field", "document.querySelector('#why pre')?.textContent.includes('GET /lab/measure/poll?after=0 HTTP/1.1\\n') && document.querySelector('#why pre').textContent.includes('User-Agent: ' + navigator.userAgent)")
	c.until("has the WebSocket's handshake, message and end", "document.querySelectorAll('#why .facts > li').length === 5")
	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('#why .facts summary')[2].click()"))
	c.until("shows the message's frame bit by bit", "document.querySelector('#why .facts li:nth-child(3) .bits')?.textContent.includes('opcode')")
}

func testMeasureKeys(t *testing.T, s *stage) {
	c := s.bench(t, "measure")
	c.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('[name=messages]').focus()"))
	c.must(chromedp.KeyEvent(strings.Repeat("\t", 5)))
	c.want("is at the first question", "document.activeElement.id", "most")
	c.must(chromedp.KeyEvent(kb.ArrowDown + "\t" + kb.ArrowDown + "\t"))
	c.want("is at the button, which can be pressed", "document.activeElement.id + document.activeElement.disabled", "measurefalse")
	c.must(chromedp.KeyEvent(kb.Enter))
	c.until("has measured", measureSaid+" === 'Measured.'")
	c.want("has what was said", verdicts+".map(s => s.split(',')[0])", []string{"Short polling", "Short polling"})
}

func testMeasureRefused(t *testing.T, s *stage) {
	c := s.bench(t, "measure")
	c.sets("#most", "polling")
	c.sets("#slowest", "polling")
	c.sets("[name=every]", "1000")
	c.must(chromedp.Click(chromedp.CSS("#measure")))
	c.until("says what is too much", measureSaid+" === 'Not measured: 40 messages, one every 1s, take 40s; the limit is 10s: fewer messages, or less time between them'")
	c.sets("[name=messages]", "10")
	c.must(chromedp.Click(chromedp.CSS("#measure")))
	c.until("can be stopped", "!document.querySelector('#stop').hidden")
	c.must(chromedp.Click(chromedp.CSS("#stop")))
	c.until("has stopped", measureSaid+" === 'Stopped.' && document.querySelector('#stop').hidden")
	c.sets("[name=messages]", "5")
	c.must(chromedp.Click(chromedp.CSS("#measure")))
	c.until("is at the browser's part", measureSaid+".startsWith('Measured by the server; now')")
	c.must(chromedp.Click(chromedp.CSS("#stop")))
	c.until("has stopped again, with the server's part", measureSaid+" === 'Stopped.' && document.querySelectorAll('#figures tr').length === 12 && !document.querySelector('#browsed table')")
}

// An EventSource that is closed while it opens tells of neither an opening nor an error,
// and nothing may wait for one. This one opens for ever.
func testMeasureOpening(t *testing.T, s *stage) {
	c := s.bench(t, "measure")
	c.must(chromedp.Evaluate[chromedp.Void]("window.EventSource = class extends EventTarget { constructor() { super(); document.body.dataset.opens = 'for ever'; } close() {} }; void 0"))
	c.sets("#most", "polling")
	c.sets("#slowest", "polling")
	c.sets("[name=messages]", "1")
	c.must(chromedp.Click(chromedp.CSS("#measure")))
	c.until("opens its ways", "document.body.dataset.opens === 'for ever'")
	c.must(chromedp.Click(chromedp.CSS("#stop")))
	c.until("has stopped", measureSaid+" === 'Stopped.' && document.querySelector('#stop').hidden")
}

func testMeasureLooks(t *testing.T, s *stage) {
	c := s.bench(t, "measure")
	c.sets("[name=messages]", "3")
	c.measures("polling", "polling")
	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('#why summary').forEach(e => e.click())"))
	c.until("has all open", "document.querySelectorAll('#why .facts > li').length === 5")
	c.looksGood()
}
