package wsspec

import "fmt"

const (
	saysNoLimit  = "Implementations that have implementation- and/or platform-specific limitations regarding the frame size or total message size after reassembly from multiple frames MUST protect themselves against exceeding those limits."
	saysAnySplit = "[§5.4] A sender MAY create fragments of any size for non-control messages."
)

// longTrials are group 9: long messages, and many.
func longTrials() []*trial {
	var all []*trial
	add := func(group, number int, title, clause string, v volley) {
		all = append(all, &trial{
			id: fmt.Sprintf("9.%d.%d", group, number), title: fmt.Sprintf("%s %s", eventNames[v.kind], title), clause: clause,
			tags: []string{"long"}, do: first.volley(), volley: &v, end: normal,
		})
	}
	for k, kind := range []eventKind{aText, aBinary} {
		for i, size := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20} {
			add(1+k, i+1, "of "+bytesWord(size), saysNoLimit, volley{kind: kind, size: size, count: 1})
		}
	}
	for k, kind := range []eventKind{aText, aBinary} {
		for i, piece := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20} {
			add(3+k, i+1, "of 4 MiB in fragments of "+bytesWord(piece), saysAnySplit, volley{kind: kind, size: 4 << 20, count: 1, piece: piece})
		}
	}
	for k, kind := range []eventKind{aText, aBinary} {
		for i, chop := range []int{64, 128, 256, 512, 1 << 10, 2 << 10} {
			add(5+k, i+1, fmt.Sprintf("of 1 MiB, %s to a write", bytesWord(chop)), saysNoLimit, volley{kind: kind, size: 1 << 20, count: 1, chop: chop})
		}
	}
	for k, kind := range []eventKind{aText, aBinary} {
		for i, size := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
			add(7+k, i+1, fmt.Sprintf("of %s, a thousand times", bytesWord(size)), saysNoLimit, volley{kind: kind, size: size, count: 1000})
		}
	}
	return all
}

func bytesWord(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// fragmentedTrials are group 10: a message that a sender's library has fragmented.
func fragmentedTrials() []*trial {
	const size, piece = 65536, 1300
	text := repeat("*", size)
	frames := []Frame{begun(text[:piece])}
	for at := piece; at < size; at += piece {
		if size-at > piece {
			frames = append(frames, more(text[at:at+piece]))
		} else {
			frames = append(frames, last(text[at:]))
		}
	}
	return []*trial{{
		id: "10.1.1", title: "text of 64 KiB in fragments of 1,300 bytes", clause: saysAnySplit,
		do: first.send(frames...).kill(10), outcomes: ok(gotText(text)), end: normal,
	}}
}
