package boltstore

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"framewright/chat"
)

// The process that is killed: it appends in several rooms at once and prints
// what was acknowledged.
func TestMain(m *testing.M) {
	path := os.Getenv("FRAMEWRIGHT_KILL_TEST")
	if path == "" {
		os.Exit(m.Run())
	}
	s, err := Open(path, &Options{MaxMessages: -1})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			room := fmt.Sprint(i)
			p, _ := s.Read(room, chat.Query{})
			for n := p.Head.Seq; ; n++ {
				m := &chat.Message{ID: fmt.Sprint(n), Text: "text " + fmt.Sprint(n)}
				if _, err := s.Append(room, []*chat.Message{m}); err != nil {
					return
				}
				mu.Lock()
				fmt.Println(room, m.ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// A process is killed in the middle of its appends, again and again: the file
// opens, and what was acknowledged is there, once and in order.
func TestKill(t *testing.T) {
	path := file(t)
	acknowledged := map[string]int{}
	for cycle := range 8 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "FRAMEWRIGHT_KILL_TEST="+path)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 50+cycle*13 {
				c.Process.Kill()
			}
			room, id, ok := strings.Cut(lines.Text(), " ")
			if !ok || room == "open:" {
				t.Fatal(lines.Text())
			}
			if id != fmt.Sprint(acknowledged[room]) && id != fmt.Sprint(acknowledged[room]+1) { // +1: one was stored, and the word of it was lost
				t.Fatalf("room %s goes on with %s after %d", room, id, acknowledged[room])
			}
			var n int
			fmt.Sscan(id, &n)
			acknowledged[room] = n + 1
		}
		c.Wait()
		s, err := Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for room, n := range acknowledged {
			ms := page(t, s, room, chat.Query{Limit: 1 << 20}).Messages
			if len(ms) < n || len(ms) > n+1 {
				t.Fatalf("room %s has %d messages; %d were acknowledged", room, len(ms), n)
			}
			for i, m := range ms {
				if m.ID != fmt.Sprint(i) {
					t.Fatalf("room %s: message %d is %s", room, i, m.ID)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) != 4 {
		t.Fatalf("%v", acknowledged)
	}
}
