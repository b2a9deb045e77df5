package peers

import (
	"fmt"
	"strings"
)

// An end is one of the two sides of an exchange.
type end int

const (
	us end = iota
	peer
)

func (e end) String() string { return [...]string{"framewright", "the peer"}[e] }

func (e end) other() end { return 1 - e }

// A Step is one line of an exchange: an end does something or must have seen
// something. With all set, both ends do theirs at the same time.
type Step struct {
	who     end
	do      *Action
	want    *Event
	mayFail bool // the action may find the connection closed already
	all     *[2][]Action
}

func (e end) does(a Action) Step { return Step{who: e, do: &a} }

// tries is does where the other end may already have closed the connection.
func (e end) tries(a Action) Step { return Step{who: e, do: &a, mayFail: true} }

func (e end) gets(w Event) Step { return Step{who: e, want: &w} }

// atOnce lets both ends carry out their actions concurrently.
func atOnce(ours, peers []Action) Step { return Step{all: &[2][]Action{us: ours, peer: peers}} }

func send(kind string, parts ...Part) Action { return Action{Do: "send", Kind: kind, Parts: parts} }

func str(s string) Part  { return Part{Text: s} }
func hexa(s string) Part { return Part{Hex: strings.ReplaceAll(s, " ", "")} }
func fill(n int) Part    { return Part{Fill: n} }

// pinged is a fragmented send with a ping between every two fragments. Their
// payloads are "inside 1", "inside 2" and so on.
func pinged(a Action) Action {
	a.Pings = true
	return a
}

func ping(data string) Action { return Action{Do: "ping", Data: data} }
func pong(data string) Event  { return Event{Event: "pong", Data: data} }

// closing starts the closing handshake; code 0 sends no status.
func closing(code int, reason string) Action {
	return Action{Do: "close", Code: code, Reason: reason}
}

func closed(code int, reason string) Event {
	return Event{Event: "closed", Code: code, Reason: reason}
}

var abort = Action{Do: "abort"}

// message is the event that a send must cause at the other end. The number of
// frames is only looked at where it says something: see matches.
func message(a Action) Event {
	e := received(a.Kind, a.payload())
	if len(a.Parts) > 1 {
		e.Frames = many
	}
	return e
}

// carried is a message that one end sends and the other gets.
func carried(from end, a Action) []Step {
	return []Step{from.does(a), from.other().gets(message(a))}
}

// echoed carries messages first from the peer to us, then from us to the peer.
func echoed(actions ...Action) []Step {
	var s []Step
	for _, a := range actions {
		s = append(s, carried(peer, a)...)
		s = append(s, carried(us, a)...)
	}
	return s
}

// numbered is n short messages that tell their order.
func numbered(name string, n int) (a []Action) {
	for i := range n {
		a = append(a, send(text, str(fmt.Sprintf("%s %d", name, i))))
	}
	return a
}

func arrive(at end, actions []Action) (s []Step) {
	for _, a := range actions {
		s = append(s, at.gets(message(a)))
	}
	return s
}

func join(lists ...[]Step) (s []Step) {
	for _, l := range lists {
		s = append(s, l...)
	}
	return s
}

// An Exchange is one conversation. Unless its steps end the connection, the
// runner ends it: we close with 1000 and both ends must see that.
type Exchange struct {
	Name  string
	Needs []Ability
	TLS   bool // also run over wss://

	Ours, Theirs Options // the options of either end
	Protocol     string  // the subprotocol both must report
	ServerOnly   end     // only when onlyWhen is set: which end must be the server
	onlyWhen     bool

	Steps []Step
}

const MiB = 1 << 20

// long is a close reason that fills the close frame: 123 bytes (§5.5.1).
var long = strings.Repeat("ä", 61) + "!"

// exchanges is the table. Read it as the list of what interoperates.
var exchanges = []Exchange{
	{
		Name: "text", TLS: true,
		Steps: echoed(send(text, str("Hello")), send(text, str("Grüße, 世界 👋 \u0000 \uFFFD"))),
	},
	{
		Name: "binary", TLS: true,
		Steps: echoed(send(binary, hexa("00 ff 80 7f 0d 0a 00")), send(binary, fill(256))),
	},
	{
		Name:  "empty messages",
		Steps: echoed(send(text, str("")), send(binary, str("")), send(text, str("after"))),
	},
	{
		Name: "every length encoding and both sides of its border",
		Steps: echoed(send(binary, fill(1)), send(binary, fill(125)), send(binary, fill(126)),
			send(binary, fill(127)), send(binary, fill(65535)), send(binary, fill(65536)), send(binary, fill(65537))),
	},
	{
		Name: "16 MiB of binary", TLS: true,
		Steps: echoed(send(binary, fill(16*MiB))),
	},
	{
		Name:  "16 MiB of text",
		Steps: echoed(send(text, fill(16*MiB))),
	},
	{
		Name: "fragments from us", TLS: true,
		Steps: join(
			// Our Writer sends a fragment of its own for 4 KiB and more.
			carried(us, send(text, fill(4096), str("a short one, "), str("and another"), fill(5000))),
			carried(us, send(binary, fill(1), fill(70000), fill(200))),
			carried(us, send(text, str("whole again")))),
	},
	{
		Name: "fragments from the peer", Needs: []Ability{Fragments}, TLS: true,
		Theirs: Options{Fragments: true},
		Steps: join(
			carried(peer, send(text, str("the first of two fragments, "), str("and the second, as long as that"))),
			carried(peer, send(binary, fill(20), fill(300), fill(20))),
			carried(peer, send(text, str("whole again")))),
	},
	{
		Name: "a code point cut in two by us",
		Steps: join(
			carried(us, send(text, hexa(strings.Repeat("78", 4096)+"e4 bd"), hexa("a0 e5 a5 bd"))),
			carried(us, send(text, hexa(strings.Repeat("78", 4096)+"f0 9f 91"), hexa("8b")))),
	},
	{
		Name: "a code point cut in two by the peer", Needs: []Ability{Fragments},
		Theirs: Options{Fragments: true},
		// 16 bytes first: gorilla cuts where its buffer ends, see there.
		Steps: carried(peer, send(text, hexa("2020202020202020202020202020 e4 bd"), hexa("a0 e5 a5 bd"))),
	},
	{
		Name: "a long message in fragments from the peer", Needs: []Ability{LongFragments},
		Theirs: Options{Fragments: true},
		Steps:  carried(peer, send(binary, fill(150000), fill(150000))),
	},
	{
		Name:  "ping from us",
		TLS:   true,
		Steps: []Step{us.does(ping("")), us.gets(pong("")), us.does(ping("")), us.gets(pong(""))},
	},
	{
		Name: "ping from the peer", Needs: []Ability{Pings}, TLS: true,
		Steps: []Step{
			peer.does(ping("are you there?")), peer.gets(pong("are you there?")),
			peer.does(ping(strings.Repeat("p", 125))), peer.gets(pong(strings.Repeat("p", 125))),
		},
	},
	{
		Name: "ping between our fragments",
		Steps: []Step{
			us.does(pinged(send(text, fill(4096), fill(5000), str("!")))),
			us.gets(pong("inside 1")), us.gets(pong("inside 2")),
			peer.gets(message(send(text, fill(4096), fill(5000), str("!")))),
		},
	},
	{
		Name: "ping between the peer's fragments", Needs: []Ability{Fragments, PingInside},
		Theirs: Options{Fragments: true},
		Steps: []Step{
			peer.does(pinged(send(text, str("a first fragment"), str("a second fragment"), str("a third")))),
			peer.gets(pong("inside 1")), peer.gets(pong("inside 2")),
			us.gets(message(send(text, str("a first fragment"), str("a second fragment"), str("a third")))),
		},
	},
	{
		Name: "many messages both ways at once", TLS: true,
		Steps: join(
			[]Step{atOnce(numbered("ours", 200), numbered("theirs", 200))},
			arrive(us, numbered("theirs", 200)), arrive(peer, numbered("ours", 200))),
	},
	{
		Name: "large messages both ways at once",
		Steps: join(
			[]Step{atOnce([]Action{send(binary, fill(4*MiB)), send(text, str("ours"))}, []Action{send(binary, fill(4*MiB)), send(text, str("theirs"))})},
			arrive(us, []Action{send(binary, fill(4*MiB)), send(text, str("theirs"))}),
			arrive(peer, []Action{send(binary, fill(4*MiB)), send(text, str("ours"))})),
	},
	{
		Name: "the peer's server speaks first", Needs: []Ability{Serves},
		onlyWhen: true, ServerOnly: peer,
		Theirs: Options{Greeting: &Action{Do: "send", Kind: text, Parts: []Part{str("welcome")}}},
		Steps:  []Step{us.gets(received(text, []byte("welcome")))},
	},
	{
		Name:     "our server speaks first",
		onlyWhen: true, ServerOnly: us,
		Ours:  Options{Greeting: &Action{Do: "send", Kind: text, Parts: []Part{str("welcome")}}},
		Steps: []Step{peer.gets(received(text, []byte("welcome")))},
	},
	{
		Name: "a subprotocol in common", TLS: true,
		Ours: Options{Protocols: []string{"chat.v2", "ours"}}, Theirs: Options{Protocols: []string{"theirs", "chat.v2"}},
		Protocol: "chat.v2",
		Steps:    echoed(send(text, str("agreed"))),
	},
	{
		Name: "we serve no subprotocol", Needs: []Ability{Unagreed},
		onlyWhen: true, ServerOnly: us,
		Theirs: Options{Protocols: []string{"theirs"}},
		Steps:  echoed(send(text, str("without"))),
	},
	{
		Name: "the peer serves no subprotocol", Needs: []Ability{Serves},
		onlyWhen: true, ServerOnly: peer,
		Ours:  Options{Protocols: []string{"ours"}},
		Steps: echoed(send(text, str("without"))),
	},
	{
		Name: "we close first", TLS: true,
		Steps: []Step{us.does(closing(1000, "bye")), peer.gets(closed(1000, "bye")), us.gets(closed(1000, anyReason))},
	},
	{
		Name: "the peer closes first", TLS: true,
		Steps: []Step{peer.does(closing(1000, "bye")), us.gets(closed(1000, "bye")), peer.gets(closed(1000, anyReason))},
	},
	{
		Name:  "we close with a code of our own and the longest reason",
		Steps: []Step{us.does(closing(4321, long)), peer.gets(closed(4321, long)), us.gets(closed(4321, anyReason))},
	},
	{
		Name:  "the peer closes with a code of its own and the longest reason",
		Steps: []Step{peer.does(closing(4321, long)), us.gets(closed(4321, long)), peer.gets(closed(4321, anyReason))},
	},
	{
		Name:  "we close going away",
		Steps: []Step{us.does(closing(1001, "restart")), peer.gets(closed(1001, "restart")), us.gets(closed(1001, anyReason))},
	},
	{
		Name: "the peer closes going away", Needs: []Ability{AnyCode},
		Steps: []Step{peer.does(closing(1001, "restart")), us.gets(closed(1001, "restart")), peer.gets(closed(1001, anyReason))},
	},
	{
		Name:  "we close without a status",
		Steps: []Step{us.does(closing(0, "")), peer.gets(closed(1005, "")), us.gets(closed(1005, anyReason))},
	},
	{
		Name: "the peer closes without a status", Needs: []Ability{EmptyClose},
		Steps: []Step{peer.does(closing(0, "")), us.gets(closed(1005, "")), peer.gets(closed(anyCode, anyReason))},
	},
	{
		Name: "the peer closes behind a burst of messages",
		Steps: join(
			[]Step{atOnce(nil, append(numbered("theirs", 50), closing(1000, "that was all")))},
			arrive(us, numbered("theirs", 50)),
			[]Step{us.gets(closed(1000, "that was all"))}),
	},
	{
		Name: "we close behind a burst of messages",
		Steps: join(
			[]Step{atOnce(append(numbered("ours", 50), closing(1000, "that was all")), nil)},
			arrive(peer, numbered("ours", 50)),
			[]Step{peer.gets(closed(1000, "that was all"))}),
	},
	{
		Name: "we drop the connection", TLS: true,
		Steps: []Step{us.does(abort), peer.gets(closed(1006, anyReason))},
	},
	{
		Name: "the peer drops the connection", Needs: []Ability{Aborts}, TLS: true,
		Steps: []Step{peer.does(abort), us.gets(closed(1006, anyReason))},
	},
	{
		Name: "a message over our limit",
		Ours: Options{Limit: 1000},
		Steps: join(
			carried(peer, send(binary, fill(1000))),
			[]Step{peer.does(send(binary, fill(1001))), peer.gets(closed(1009, anyReason)), us.gets(closed(1009, anyReason))}),
	},
	{
		Name: "a message well over our limit",
		Ours: Options{Limit: 16 << 10},
		// The peer is still writing when we refuse. We read and drop the rest,
		// so that it gets to read why: closing on unread data would reset the
		// connection.
		Steps: []Step{peer.tries(send(binary, fill(512<<10))), us.gets(closed(1009, anyReason)), peer.gets(closed(1009, anyReason))},
	},
	{
		Name: "a message far over our limit",
		Ours: Options{Limit: 16 << 10},
		// More than we care to read: the peer may find out by a failed write.
		Steps: []Step{peer.tries(send(binary, fill(16*MiB))), us.gets(closed(1009, anyReason)), peer.gets(closed(anyCode, anyReason))},
	},
	{
		Name: "a message over the peer's limit", Needs: []Ability{Limits},
		Theirs: Options{Limit: 1000},
		Steps:  []Step{us.tries(send(binary, fill(1001))), us.gets(closed(1009, anyReason))},
	},
	{
		Name: "text that is not UTF-8", Needs: []Ability{Invalid},
		Theirs: Options{Invalid: true},
		Steps: []Step{
			peer.tries(send(text, hexa("48 65 6c 6c 6f ff"))),
			us.gets(closed(1007, anyReason)), peer.gets(closed(1007, anyReason)),
		},
	},
	{
		Name: "an overlong encoding", Needs: []Ability{Invalid},
		Theirs: Options{Invalid: true},
		Steps:  []Step{peer.tries(send(text, hexa("c0 80"))), us.gets(closed(1007, anyReason)), peer.gets(closed(1007, anyReason))},
	},
}
