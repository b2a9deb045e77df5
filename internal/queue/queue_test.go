package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A script is read from left to right: "+a" pushes a, whose size is 1 for a, 2
// for b and so on; "^a" pushes it first; "-a" pops a, and "-" nothing; "=a" looks
// at the first; "!a" drops all a.
func TestList(t *testing.T) {
	size := func(s string) int { return int(s[0]-'a') + 1 }
	for _, tt := range []struct{ name, script, left string }{
		{"in order", "+a +b +c -a -b -c -", ""},
		{"mixed", "+a -a +b +c -b +d", "cd"},
		{"nothing there", "- = +a -a = -", ""},
		{"before all others", "+a +b ^c =c -c -a ^d =d", "db"},
		{"before nothing", "^a =a", "a"},
		{"before what is left", "+a +b -a ^c", "cb"},
		{"looking takes nothing", "+a =a =a -a =", ""},
		{"dropped", "+a +b +a +c +a !a", "bc"},
		{"dropped behind what was taken", "+a +a +b -a !a", "b"},
		{"all dropped", "+a +a !a - +b", "b"},
		{"none dropped", "+a +b !c", "ab"},
		{"dropped of nothing", "!a", ""},
		{"room is used again", strings.Repeat("+a +b -a -b ", 100) + "+c", "c"},
		{"and while something waits", "+a " + strings.Repeat("+a -a ", 300), "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l List[string]
			for n, step := range strings.Fields(tt.script) {
				arg := step[1:]
				switch step[0] {
				case '+':
					l.Push(arg, size(arg))
				case '^':
					l.PushFirst(arg, size(arg))
				case '-':
					if v, ok := l.Pop(); v != arg || ok != (arg != "") {
						t.Fatalf("step %d, %s: %q, %v", n+1, step, v, ok)
					}
				case '=':
					got := ""
					if v := l.First(); v != nil {
						got = *v
					}
					if got != arg {
						t.Fatalf("step %d, %s: %q", n+1, step, got)
					}
				case '!':
					before := l.Len()
					if dropped := l.Drop(func(v string) bool { return v == arg }); dropped != before-l.Len() {
						t.Fatalf("step %d, %s: %d dropped, and %d of %d are left", n+1, step, dropped, l.Len(), before)
					}
				}
			}
			sum := 0
			for _, c := range tt.left {
				sum += size(string(c))
			}
			if l.Len() != len(tt.left) || l.Size() != sum {
				t.Errorf("%d of size %d are left, want %d of %d", l.Len(), l.Size(), len(tt.left), sum)
			}
			if cap(l.items) > 8 {
				t.Errorf("room for %d, which were never there at one time", cap(l.items))
			}
			got := ""
			for v, ok := l.Pop(); ok; v, ok = l.Pop() {
				got += v
			}
			if got != tt.left || l.Size() != 0 {
				t.Errorf("left: %q of size %d, want %q", got, l.Size(), tt.left)
			}
		})
	}
}

// What was taken is not kept alive, and a burst leaves nothing behind.
func TestListKeepsLittle(t *testing.T) {
	var l List[*int]
	for range 1000 {
		l.Push(new(int), 1)
	}
	for range 999 {
		l.Pop()
	}
	if n := len(l.items) - slices.IndexFunc(l.items, func(it item[*int]) bool { return it.v != nil }); n != 1 {
		t.Errorf("%d are held, of which one waits", n)
	}
	if l.Pop(); cap(l.items) != 0 {
		t.Errorf("an empty list has room for %d", cap(l.items))
	}
	for _, tt := range []struct{ burst, keeps int }{{keeps, keeps}, {keeps + 1, 0}} {
		l.items = make([]item[*int], 0, tt.burst)
		for range tt.burst {
			l.Push(new(int), 1)
		}
		for range tt.burst {
			l.Pop()
		}
		if cap(l.items) != tt.keeps {
			t.Errorf("a burst of %d leaves room for %d, want %d", tt.burst, cap(l.items), tt.keeps)
		}
	}
	for range 10 {
		l.Push(new(int), 1)
	}
	held := func() (n int) {
		for _, it := range l.items[:cap(l.items)] {
			if it.v != nil {
				n++
			}
		}
		return n
	}
	first := *l.First()
	l.Drop(func(v *int) bool { return v != first })
	if n := held(); n != 1 {
		t.Errorf("%d are held, of which one was not dropped", n)
	}
	l.Clear()
	// Room that is used again: what was moved is not held twice.
	l.items = make([]item[*int], 0, 4)
	for range 4 {
		l.Push(new(int), 1)
	}
	l.Pop()
	l.Pop()
	l.Push(new(int), 1)
	if n := held(); n != 3 || cap(l.items) != 4 || l.head != 0 {
		t.Errorf("%d are held in room for %d, from place %d; 3 wait in room for 4", n, cap(l.items), l.head)
	}
	l.Pop()
	l.Push(new(int), 1) // there is room behind the others
	if l.head != 1 {
		t.Errorf("the others were moved to place %d for no need", l.head)
	}
	l.Clear()
	if l.Len() != 0 || l.Size() != 0 || l.items != nil {
		t.Errorf("cleared: %d of size %d", l.Len(), l.Size())
	}
}

func TestSignal(t *testing.T) {
	isClosed := func(c <-chan struct{}) string {
		select {
		case <-c:
			return "raised"
		default:
			return "waiting"
		}
	}
	var s Signal
	s.Raise() // for nobody
	first, second := s.Wait(), s.Wait()
	awaited := s.IsAwaited()
	s.Raise()
	third := s.Wait()
	if got := fmt.Sprintln(isClosed(first), isClosed(second), isClosed(third), awaited); got != "raised raised waiting true\n" {
		t.Error(got)
	}
	s.Raise()
	if s.IsAwaited() {
		t.Error("nobody waits any more")
	}
}
