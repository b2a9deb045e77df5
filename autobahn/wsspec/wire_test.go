package wsspec

import (
	"bufio"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The trials send what the testsuite's cases send, byte for byte, written as those
// write it, and wait as long. Of group 9 only the lengths are compared: its content
// and its waits are ours.
func TestTrialsWire(t *testing.T) {
	f, err := os.Open("testees/testdata/wire.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := allTrials()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		want := lines.Text()
		id, _, _ := strings.Cut(want, " ")
		if id == "#" {
			continue
		}
		i := slices.IndexFunc(all, func(tr *trial) bool { return tr.id == id })
		if i < 0 {
			t.Errorf("there is no %s", id)
			continue
		}
		got := wireLine(all[i])
		if all[i].volley != nil {
			want = strings.Join(strings.Fields(want)[:2], " ")
		}
		if got != want {
			t.Errorf("sends, waits %s\nthe testsuite %s", got, want)
		}
		all = slices.Delete(all, i, i+1)
	}
	for _, tr := range all {
		t.Errorf("the testsuite has no %s", tr.id)
	}
}

// wireLine plays a trial without a testee and says what it sent and waited for.
func wireLine(tr *trial) string {
	t := newTester(tr, false)
	t.wait = func(d time.Duration) time.Duration { return d }
	var sent []byte
	var ways, timers []string
	t.write = func(o outgoing) {
		if o.make != nil {
			o.make(func(b []byte) bool { sent = append(sent, b...); return true })
		}
		sent = append(sent, o.bytes...)
		way := "whole"
		if o.chop == maxRead {
			way = "each"
		} else if o.chop > 0 {
			way = fmt.Sprintf("chop%d", o.chop)
		}
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	t.start()
	for {
		t.cancel(t.goodbye)
		next := t.first()
		if next == nil {
			break
		}
		t.cancel(next)
		before, ways0, phase := len(sent), ways, t.phase
		next.do() // at its own time zero
		kind := "P"
		if t.dropped || t.failedByUs {
			kind = "K"
		} else if t.phase != phase || phase == phaseClosing {
			kind = "C"
		}
		timers = append(timers, fmt.Sprintf("%s%g", kind, next.at.Seconds()))
		if kind != "P" {
			sent, ways = sent[:before], ways0 // but for the Close that showed what it was
			break
		}
	}
	line := fmt.Sprintf("%s %d", tr.id, len(sent))
	if tr.volley != nil {
		return line
	}
	sum := sha1.Sum(sent)
	return fmt.Sprintf("%s %s %s %s", line, hex.EncodeToString(sum[:])[:12], strings.Join(ways, "+"), strings.Join(timers, "+"))
}
