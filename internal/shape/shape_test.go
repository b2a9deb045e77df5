package main

import "testing"

// A loop is what can only be read together. The connection is one of eight files; more
// would be a room again.
func TestConnectionsHaveNoLongLoop(t *testing.T) {
	shapes, err := load("framewright/ws/wsnet")
	if err != nil || len(shapes) != 1 {
		t.Fatal(shapes, err)
	}
	s := shapes[0]
	for _, loop := range s.loops() {
		if len(loop) > 8 {
			t.Errorf("a loop of %d files, want 8 at most: %v", len(loop), loop)
		}
	}
	if n := len(s.exported); n >= 40 {
		t.Errorf("%d exported names, want fewer than 40: %v", n, s.exported)
	}
}

// The tool finds a loop where there is one, and none where there is none.
func TestLoops(t *testing.T) {
	s := &shape{lines: map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, refers: map[string]map[string]bool{
		"a": {"b": true}, "b": {"c": true}, "c": {"a": true, "d": true}, "d": {},
	}}
	if got := s.loops(); len(got) != 1 || len(got[0]) != 3 {
		t.Errorf("loops %v, want one of a, b and c", got)
	}
}
