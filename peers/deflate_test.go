package peers

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"framewright/ws"
)

// Deflate is how both ends of an exchange set permessage-deflate (RFC 7692)
// up: which direction keeps its context, and its window in bits, 0 for 15.
// Every driver gives it to its library as far as that has the setting; the
// handshake must then settle on exactly this.
type Deflate struct {
	ServerContext bool `json:"serverContext"`
	ClientContext bool `json:"clientContext"`
	ServerBits    int  `json:"serverBits,omitempty"`
	ClientBits    int  `json:"clientBits,omitempty"`
}

func (d *Deflate) String() string {
	kept := func(b bool) string { return map[bool]string{true: "context", false: "no context"}[b] }
	return fmt.Sprintf("server %s %d bits, client %s %d bits",
		kept(d.ServerContext), cmp.Or(d.ServerBits, 15), kept(d.ClientContext), cmp.Or(d.ClientBits, 15))
}

// ours is the setting as package ws has it for one role.
func (d *Deflate) ours(role ws.Role) *ws.Compression {
	if d == nil {
		return nil
	}
	// Everything is compressed, short messages too: they are the edge.
	c := &ws.Compression{Threshold: -1}
	server := []any{&c.SendContext, &c.SendWindow}
	client := []any{&c.ReceiveContext, &c.ReceiveWindow}
	if role == ws.RoleClient {
		server, client = client, server
	}
	*server[0].(*bool), *server[1].(*int) = d.ServerContext, d.ServerBits
	*client[0].(*bool), *client[1].(*int) = d.ClientContext, d.ClientBits
	return c
}

func (d *Deflate) agreed() *ws.DeflateParams {
	return &ws.DeflateParams{
		ServerNoContext: !d.ServerContext, ClientNoContext: !d.ClientContext,
		ServerBits: cmp.Or(d.ServerBits, 15), ClientBits: cmp.Or(d.ClientBits, 15),
	}
}

// The settings that a peer can have, by what its library offers.
var (
	noContext   = Deflate{}
	bothContext = Deflate{ServerContext: true, ClientContext: true}
	oneContext  = []Deflate{{ServerContext: true}, {ClientContext: true}}
	windows     = []Deflate{
		{ServerBits: 9, ClientBits: 9},
		{ServerContext: true, ClientContext: true, ServerBits: 9, ClientBits: 12},
		{ServerContext: true, ClientContext: true, ServerBits: 12, ClientBits: 9},
	}
	everySetting = slices.Concat([]Deflate{noContext, bothContext}, oneContext, windows)
)

// jsonLines is text as servers send it: n lines that resemble each other.
func jsonLines(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf(`{"id":%d,"user":"user-%d","text":"line %d of the same conversation, größer als zuvor","seen":[%d,%d]}`+"\n", i*7919, i%17, i, i*31%97, i*i%89)
	}
	return s
}

// A compressedExchange runs compressed. Both directions must be smaller on the
// wire than their content if it shrinks.
type compressedExchange struct {
	Exchange
	shrinks bool
}

// unframed is message without a wish for fragments: a compressor may keep all
// of a message to its end and send one frame.
func unframed(a Action) Event { return received(a.Kind, a.payload()) }

func streamed(from end, a Action) []Step {
	return []Step{from.does(a), from.other().gets(unframed(a))}
}

var compressedExchanges = []compressedExchange{
	{Exchange{Name: "text", Steps: echoed(send(text, str(jsonLines(10))), send(text, str(jsonLines(12))))}, true},
	// Not the fill pattern: zlib with 9 bits reaches back 250 bytes, its period is 251.
	{Exchange{Name: "binary", Steps: echoed(send(binary, str(jsonLines(40))), send(binary, str(jsonLines(700))))}, true},
	{Exchange{Name: "empty and small", Steps: echoed(send(text, str("")), send(text, str("a")), send(binary, str("")),
		send(text, str("Grüße")), send(binary, hexa("00 00 ff ff")), send(text, str("")), send(text, str("after")))}, false},
	{Exchange{Name: "1 MiB", Steps: echoed(send(binary, fill(MiB)), send(text, fill(MiB)), send(text, str(jsonLines(8000))))}, true},
	{Exchange{Name: "many both ways at once", Steps: join(
		[]Step{atOnce(compressible("ours", 200), compressible("theirs", 200))},
		arrive(us, compressible("theirs", 200)), arrive(peer, compressible("ours", 200)))}, true},
	{Exchange{Name: "streamed by us", Steps: join(
		streamed(us, send(text, str(jsonLines(50)), str("a short one, "), str(jsonLines(40)))),
		streamed(us, send(binary, fill(1), fill(70000), fill(200))),
		carried(us, send(text, str("whole again"))))}, false},
	{Exchange{Name: "ping inside our message", Steps: []Step{
		us.does(pinged(send(text, str(jsonLines(50)), str(jsonLines(40)), str("!")))),
		us.gets(pong("inside 1")), us.gets(pong("inside 2")),
		peer.gets(unframed(send(text, str(jsonLines(50)), str(jsonLines(40)), str("!")))),
	}}, false},
	{Exchange{Name: "fragments from the peer", Needs: []Ability{Fragments}, Theirs: Options{Fragments: true}, Steps: join(
		streamed(peer, send(text, str(jsonLines(5)), str(jsonLines(6)))),
		streamed(peer, send(binary, fill(20), fill(3000), fill(20))),
		streamed(peer, send(text, str("whole again"))))}, false},
	{Exchange{Name: "a long message in fragments from the peer", Needs: []Ability{LongFragments},
		Steps: streamed(peer, send(binary, fill(150000), fill(150000)))}, false},
	{Exchange{Name: "ping inside the peer's message", Needs: []Ability{Fragments, PingInside}, Theirs: Options{Fragments: true}, Steps: []Step{
		peer.does(pinged(send(text, str(jsonLines(3)), str(jsonLines(4)), str("a third")))),
		peer.gets(pong("inside 1")), peer.gets(pong("inside 2")),
		us.gets(unframed(send(text, str(jsonLines(3)), str(jsonLines(4)), str("a third")))),
	}}, false},
	{Exchange{Name: "ping between messages", Steps: join(
		streamed(us, send(text, str(jsonLines(4)))), []Step{us.does(ping("")), us.gets(pong(""))}, echoed(send(text, str(jsonLines(5)))))}, true},
	{Exchange{Name: "the peer closes", Steps: join(echoed(send(text, str(jsonLines(4)))),
		[]Step{peer.does(closing(1000, "bye")), us.gets(closed(1000, "bye")), peer.gets(closed(1000, anyReason))})}, true},
}

func compressible(name string, n int) (a []Action) {
	for i := range n {
		a = append(a, send(text, str(fmt.Sprintf("%s %d %s", name, i, jsonLines(3+i%5)))))
	}
	return a
}

// runDeflate plays the compressed exchanges under every setting, in both roles.
func runDeflate(t *testing.T, theirs Endpoint, settings ...Deflate) {
	lacks := theirs.Lacks()
	for _, role := range []struct {
		name   string
		server end
	}{{"we dial", peer}, {"we serve", us}} {
		if _, ok := lacks[Serves]; ok && role.server == peer {
			continue
		}
		for _, d := range settings {
			t.Run(role.name+"/"+d.String(), func(t *testing.T) {
				for _, x := range compressedExchanges {
					if !x.possible(lacks) {
						continue
					}
					t.Run(x.Name, func(t *testing.T) {
						x.Ours.Deflate, x.Theirs.Deflate = &d, &d
						ends := x.play(t, framewright{}, theirs, role.server, nil)
						x.verify(t, ends, d.agreed())
					})
				}
			})
		}
	}
}

// verify holds both ends' views of the extension against what was to be agreed
// on, and the bytes on the wire against the content.
func (x compressedExchange) verify(t *testing.T, ends [2]*Session, want *ws.DeflateParams) {
	t.Helper()
	c := ends[us].conn
	if diff := gocmp.Diff(want, c.Deflate()); diff != "" {
		t.Errorf("the handshake settled on something else (-want +got):\n%s", diff)
	}
	theirs := ends[peer].Extension
	if theirs == "" && c.Response() != nil { // a server without a word for it: what it answered
		theirs = strings.Join(c.Response().Header.Values("Sec-WebSocket-Extensions"), ", ")
	}
	if ends[peer].extensionHidden && c.Response() == nil {
		theirs = "permessage-deflate"
	}
	if !strings.Contains(theirs, "permessage-deflate") {
		t.Errorf("the peer's extensions are %q, without permessage-deflate", theirs)
	}
	if !x.shrinks {
		return
	}
	var content [2]uint64 // by sender
	for _, s := range x.Steps {
		if s.do != nil {
			content[s.who] += uint64(len(s.do.payload()))
		}
		if s.all != nil {
			for e, list := range s.all {
				for _, a := range list {
					content[e] += uint64(len(a.payload()))
				}
			}
		}
	}
	st := c.Stats()
	// These exchanges compress to under two thirds at any setting.
	if st.BytesOut*3 >= content[us]*2 || st.BytesIn*3 >= content[peer]*2 {
		t.Errorf("%d bytes went out for %d of content, %d came in for %d: not compressed", st.BytesOut, content[us], st.BytesIn, content[peer])
	}
}

// extensions is what a handshake's answer says.
func extensions(r *http.Response) string {
	if r == nil {
		return ""
	}
	return strings.Join(r.Header.Values("Sec-WebSocket-Extensions"), ", ")
}

func TestGorillaDeflate(t *testing.T) { runDeflate(t, gorillaPeer{}, noContext) }

func TestCoderDeflate(t *testing.T) { runDeflate(t, coderPeer{}, noContext, bothContext) }

func TestGwsDeflate(t *testing.T) {
	runDeflate(t, gwsPeer{}, slices.Concat([]Deflate{noContext, bothContext}, oneContext, []Deflate{
		{ServerContext: true, ClientContext: true, ServerBits: 10, ClientBits: 12},
		{ServerContext: true, ClientContext: true, ServerBits: 12, ClientBits: 10},
	})...)
}

func TestNodeDeflate(t *testing.T) { runDeflate(t, startNode(t), everySetting...) }

func TestPythonDeflate(t *testing.T) { runDeflate(t, startPython(t), everySetting...) }

// The browser offers client_max_window_bits and takes whatever we choose.
func TestBrowserDeflate(t *testing.T) { runDeflate(t, browserPeer{startBrowser(t)}, everySetting...) }
