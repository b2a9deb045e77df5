package wsspec

import "fmt"

// fragmentTrials are group 5.
func fragmentTrials() []*trial {
	a, b, ping := begun("fragment1"), last("fragment2"), Ping("ping payload")
	both, inside := ok(gotText("fragment1fragment2")), ok(gotPong("ping payload"), gotText("fragment1fragment2"))
	orphan, text := "non-continuation payload", Text(hello13)
	threes := func(orphan Frame) []Frame {
		three := []Frame{orphan, begun("fragment2"), last("fragment3")}
		return append(three, three...)
	}
	all := []*trial{
		{title: "a ping in two fragments", section: "§5.5", clause: saysShortOnly,
			do: first.send(Frame{Opcode: OpPing, Payload: []byte("fragment1")}, b), end: violation},
		{title: "a pong in two fragments", section: "§5.5", clause: saysShortOnly,
			do: first.send(Frame{Opcode: OpPong, Payload: []byte("fragment1")}, b), end: violation},

		{title: "a text in two fragments", clause: saysAnyBytes, do: first.send(a, b), outcomes: both},
		{title: "a text in two fragments, each in a write", clause: saysAnyBytes, do: first.sendEach(a, b), outcomes: both},
		{title: "a text in two fragments, a byte to a write", clause: saysAnyBytes, do: first.chop(1, a, b), outcomes: both},
		{title: "a ping between two fragments", clause: saysPingsInside, do: first.send(a, ping, b), outcomes: inside},
		{title: "a ping between two fragments, a frame to a write", clause: saysPingsInside, do: first.sendEach(a, ping, b), outcomes: inside},
		{title: "a ping between two fragments, a byte to a write", clause: saysPingsInside, do: first.chop(1, a, ping, b), outcomes: inside},

		{title: "a last continuation without a message, and a text", do: first.send(last(orphan), text)},
		{title: "a last continuation without a message, and a text, a frame to a write", do: first.sendEach(last(orphan), text)},
		{title: "a last continuation without a message, and a text, a byte to a write", do: first.chop(1, last(orphan), text)},
		{title: "a continuation without a message, and a text", do: first.send(more(orphan), text)},
		{title: "a continuation without a message, and a text, a frame to a write", do: first.sendEach(more(orphan), text)},
		{title: "a continuation without a message, and a text, a byte to a write", do: first.chop(1, more(orphan), text)},
		{title: "a text in two fragments, a continuation without a message, a text", outcomes: strictly(gotText("fragment1fragment2")),
			do: first.send(a, b, more("fragment3"), Text("fragment4"))},
		{title: "twice a continuation without a message, and a text in two fragments", do: first.send(threes(more("fragment1"))...)},
		{title: "twice a last continuation without a message, and a text in two fragments", do: first.send(threes(last("fragment1"))...)},
		{title: "a text inside another", clause: saysNotBetween, do: first.send(a, Text("fragment2"))},
		pausedTrial("a text in five fragments, two pings between, a second's pause behind the first", acts.send),
		pausedTrial("a text in five fragments, two pings between, a pause, a frame to a write", acts.sendEach),
	}
	for i, t := range all {
		t.id = fmt.Sprintf("5.%d", i+1)
		switch {
		case i+1 >= 19:
		case i+1 >= 3 && i+1 <= 8:
			t.do, t.end = t.do.closeIn(1), normal
		default:
			t.do, t.end = t.do.kill(1), violation
		}
		if t.outcomes == nil {
			t.outcomes = ok()
		}
		if t.clause == "" {
			t.clause = saysAnyBytes
		}
	}
	return all
}

// pausedTrial is 5.19 and 5.20. The first pong has a second to come, but may be late.
func pausedTrial(title string, send func(acts, ...Frame) acts) *trial {
	one, two := "pongme 1!", "pongme 2!"
	then := send(first, more("fragment3"), more("fragment4"), Ping(two), last("fragment5")).closeIn(1)
	return &trial{
		title: title, clause: saysPingsInside, tags: []string{"pause"},
		do:       send(first, begun("fragment1"), more("fragment2"), Ping(one)).pause(then),
		outcomes: ok(gotPong(one), gotPong(two), gotText("fragment1fragment2fragment3fragment4fragment5")),
		end:      normal,
	}
}
