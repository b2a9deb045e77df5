package wsspec

import (
	"slices"
	"testing"
	"time"

	"framewright/autobahn/wsspec/internal/deflate"
	"framewright/ws"
	"framewright/ws/wstest"
)

// wantAll holds all results against Autobahn's two verdicts.
func wantAll(t *testing.T, results []Result, behavior, end string) {
	t.Helper()
	for _, r := range results {
		if r.Behavior != behavior || r.BehaviorClose != end {
			t.Errorf("%s: %s, %s: %s", r.Case.ID, r.Behavior, r.BehaviorClose, r.Actual)
		}
	}
}

func TestDeflateCasesServer(t *testing.T) {
	wstest.CheckLeaks(t)
	for _, c := range []*ws.Compression{takeover, {}} {
		wantAll(t, playAll(t, deflateServer(t, c), Settings{Count: 5}, share(deflateCases())), "OK", "OK")
	}
	wantAll(t, playAll(t, deflateServer(t, nil), Settings{}, share(deflateCases())), "UNIMPLEMENTED", "OK")
}

func TestDeflateCasesClient(t *testing.T) {
	wstest.CheckLeaks(t)
	for _, c := range []*ws.Compression{takeover, {}} {
		wantAll(t, playClients(t, deflatingClient(c), Settings{Count: 5}, share(deflateCases())), "OK", "OK")
	}
	wantAll(t, playClients(t, deflatingClient(nil), Settings{}, share(deflateCases())), "UNIMPLEMENTED", "OK")
}

// Messages come round: the corpus is at its start again, with a history now.
func TestDeflateComesRound(t *testing.T) {
	c := findCase(t, "12.1.10")
	s := Settings{Count: 3 * corpusSize / (128 << 10)}
	wantAll(t, playAll(t, deflateServer(t, takeover), s, []*Case{c}), "OK", "OK")
}

func findCase(t *testing.T, id string) *Case {
	t.Helper()
	all := append(Cases(), deflateCases()...)
	i := slices.IndexFunc(all, func(c *Case) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("there is no case %s", id)
	}
	return all[i]
}

// bothContexts, none and nine are answers that agree on both contexts, on none, and on a
// window of nine bits from the server.
const (
	bothContexts = deflateName
	none         = deflateName + "; server_no_context_takeover; client_no_context_takeover"
	nine         = deflateName + "; server_max_window_bits=9"
)

func packWithTail(t *rawTalk, content []byte) []byte {
	return append(t.usual(content), 0, 0, 0xff, 0xff)
}

func packFinal(t *rawTalk, content []byte) []byte {
	var w deflate.Writer
	w.Stored(true, content)
	return w.Message()
}

// A brokenTestee is one, a case, and what the Autobahn testsuite says of it.
type brokenTestee struct {
	name, id      string
	testee        rawTestee
	behavior, end string
}

func brokenDeflateServers() []brokenTestee {
	spoilt := func(i int) func(*rawTalk, []byte) []byte {
		return func(t *rawTalk, content []byte) []byte {
			content = slices.Clone(content)
			content[len(content)-1] ^= byte(i)
			return t.usual(content)
		}
	}
	split := func(rsv byte) func(*rawTalk, Frame) []Frame {
		return func(t *rawTalk, f Frame) []Frame {
			n := len(f.Payload) / 2
			return []Frame{{Opcode: f.Opcode, RSV: f.RSV, Payload: f.Payload[:n]}, {Fin: true, RSV: rsv, Payload: f.Payload[n:]}}
		}
	}
	return []brokenTestee{
		{"none", "12.1.5", rawTestee{extensions: bothContexts, keeps: true}, "OK", "OK"},
		{"none, without contexts", "12.1.5", rawTestee{extensions: none, forgets: true}, "OK", "OK"},
		{"none, in a small window", "13.3.5", rawTestee{extensions: nine, window: 9, keeps: true}, "OK", "OK"},
		{"none: answers 12 to 9", "13.3.5", rawTestee{extensions: deflateName + "; server_max_window_bits=12", window: 12, keeps: true}, "OK", "OK"},
		{"none: compresses nothing", "12.1.5", rawTestee{extensions: bothContexts, plain: true}, "OK", "OK"},
		{"none: in two frames", "12.1.5", rawTestee{extensions: bothContexts, send: split(0)}, "OK", "OK"},
		{"forgets what was sent", "12.1.5", rawTestee{extensions: bothContexts, forgets: true}, "FAILED", "FAILED"},
		{"forgets, and takes it for empty", "12.1.5", rawTestee{extensions: bothContexts, forgets: true, noCheck: true}, "FAILED", "OK"},
		{"inflates in a smaller window", "12.1.10", rawTestee{extensions: bothContexts, reads: 14}, "FAILED", "FAILED"},
		{"keeps a context that it gave up", "13.2.5", rawTestee{extensions: none, keeps: true}, "FAILED", "FAILED"},
		{"leaves its window", "13.3.5", rawTestee{extensions: nine, window: 15, keeps: true}, "FAILED", "FAILED"},
		{"leaves its window inside a message as zlib lets it", "13.5.5", rawTestee{extensions: none + "; server_max_window_bits=9", window: 15}, "OK", "OK"},
		{"another type", "12.1.5", rawTestee{extensions: bothContexts, send: func(_ *rawTalk, f Frame) []Frame { f.Opcode = OpBinary; return []Frame{f} }}, "FAILED", "OK"},
		{"another byte", "12.1.5", rawTestee{extensions: bothContexts, pack: spoilt(1)}, "FAILED", "OK"},
		{"no UTF-8", "12.1.5", rawTestee{extensions: bothContexts, pack: spoilt(0x80)}, "FAILED", "UNCLEAN"},
		{"no UTF-8, in what is binary", "12.3.5", rawTestee{extensions: bothContexts, pack: spoilt(0x80)}, "FAILED", "OK"},
		{"too short", "12.1.5", rawTestee{extensions: bothContexts, pack: func(t *rawTalk, b []byte) []byte { return t.usual(b[:len(b)-1]) }}, "FAILED", "OK"},
		{"too long", "12.1.5", rawTestee{extensions: bothContexts, pack: func(t *rawTalk, b []byte) []byte { return t.usual(append(b, 'x')) }}, "FAILED", "OK"},
		{"RSV1 on a continuation", "12.1.5", rawTestee{extensions: bothContexts, send: split(RSV1)}, "FAILED", "WRONG CODE"},
		{"RSV2", "12.1.5", rawTestee{extensions: bothContexts, send: func(_ *rawTalk, f Frame) []Frame { f.RSV = RSV2; return []Frame{f} }}, "FAILED", "UNCLEAN"},
		{"RSV2 of what is binary", "12.3.5", rawTestee{extensions: bothContexts, send: func(_ *rawTalk, f Frame) []Frame { f.RSV = RSV2; return []Frame{f} }}, "FAILED", "WRONG CODE"},
		{"compresses without saying so", "12.1.5", rawTestee{extensions: bothContexts, send: func(_ *rawTalk, f Frame) []Frame { f.RSV = 0; return []Frame{f} }}, "FAILED", "UNCLEAN"},
		{"compresses what is binary without saying so", "12.3.5", rawTestee{extensions: bothContexts, send: func(_ *rawTalk, f Frame) []Frame { f.RSV = 0; return []Frame{f} }}, "FAILED", "OK"},
		{"RSV1 that was not agreed on", "12.1.5", rawTestee{send: func(_ *rawTalk, f Frame) []Frame { f.RSV = RSV1; return []Frame{f} }}, "UNIMPLEMENTED", "OK"},
		{"corrupt data", "12.1.5", rawTestee{extensions: bothContexts, pack: func(*rawTalk, []byte) []byte { return []byte{6, 6, 6} }}, "FAILED", "FAILED"},
		{"a final block, and a context", "12.1.5", rawTestee{extensions: bothContexts, pack: packFinal}, "FAILED", "OK"},
		{"none: a final block, and no context", "12.1.5", rawTestee{extensions: none, pack: packFinal}, "OK", "OK"},
		{"leaves the four bytes at the end", "12.1.5", rawTestee{extensions: bothContexts, pack: packWithTail}, "FAILED", "FAILED"},
		{"none: leaves the four bytes at the end, and no context", "12.1.5", rawTestee{extensions: none, pack: packWithTail}, "OK", "OK"},
		{"silent", "12.1.5", rawTestee{extensions: bothContexts, silent: true}, "FAILED", "OK"},
		{"answers 1001", "12.1.5", rawTestee{extensions: bothContexts, closes: 1001}, "OK", "WRONG CODE"},
		{"answers 1006", "12.1.5", rawTestee{extensions: bothContexts, closes: 1006}, "OK", "UNCLEAN"},
		{"no Close", "12.1.5", rawTestee{extensions: bothContexts, noClose: true}, "OK", "UNCLEAN"},
		{"never ends TCP", "12.1.5", rawTestee{extensions: bothContexts, stays: true}, "OK", "UNCLEAN"},
		{"ends after three", "12.1.5", rawTestee{extensions: bothContexts, ends: 3}, "FAILED", "FAILED"},
		{"closes after three", "12.1.5", rawTestee{extensions: bothContexts, ends: 3, endsWith: new(CloseFrame(1000, ""))}, "FAILED", "FAILED"},
		{"a parameter that nobody knows", "12.1.5", rawTestee{extensions: bothContexts + "; level=9"}, "FAILED", "FAILED"},
		{"a window of 7", "12.1.5", rawTestee{extensions: bothContexts + "; server_max_window_bits=7"}, "FAILED", "FAILED"},
		{"an extension that was not offered", "12.1.5", rawTestee{extensions: "x-other"}, "FAILED", "FAILED"},
		{"two answers", "12.1.5", rawTestee{extensions: bothContexts + ", " + bothContexts}, "FAILED", "FAILED"},
	}
}

func TestDeflateCasesBrokenServers(t *testing.T) {
	for _, tt := range brokenDeflateServers() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Settings{Count: 10, Patience: 5 * time.Second}
			if tt.testee.silent || tt.testee.noClose || tt.testee.stays || tt.testee.endsWith != nil {
				s.Patience = 2 * time.Second
			}
			wantAll(t, playAll(t, tt.testee.server(t), s, []*Case{findCase(t, tt.id)}), tt.behavior, tt.end)
		})
	}
}

// The same of clients: what they offer.
func brokenDeflateClients() []brokenTestee {
	const offer = deflateName + "; client_max_window_bits"
	return []brokenTestee{
		{"none", "13.7.5", rawTestee{extensions: offer, window: 9}, "OK", "OK"},
		{"none: does not offer a window", "13.3.5", rawTestee{extensions: deflateName}, "UNIMPLEMENTED", "OK"},
		{"none: does not offer a window, and the third choice needs none", "13.7.5", rawTestee{extensions: deflateName}, "OK", "OK"},
		{"leaves its window", "13.3.5", rawTestee{extensions: offer, keeps: true}, "FAILED", "FAILED"},
		{"keeps its context", "13.2.5", rawTestee{extensions: offer, keeps: true}, "FAILED", "FAILED"},
		{"forgets what was sent", "13.1.5", rawTestee{extensions: offer, forgets: true}, "FAILED", "FAILED"},
		{"inflates in a smaller window than it asked for", "13.1.10", rawTestee{extensions: offer + "; server_max_window_bits=12", reads: 11}, "FAILED", "FAILED"},
		{"offers a window of 16", "13.1.5", rawTestee{extensions: deflateName + "; server_max_window_bits=16"}, "FAILED", "FAILED"},
		{"offers a parameter twice", "13.1.5", rawTestee{extensions: offer + "; client_max_window_bits"}, "FAILED", "FAILED"},
	}
}

func TestDeflateCasesBrokenClients(t *testing.T) {
	for _, tt := range brokenDeflateClients() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantAll(t, playClients(t, tt.testee.client, Settings{Count: 10}, []*Case{findCase(t, tt.id)}), tt.behavior, tt.end)
		})
	}
}
