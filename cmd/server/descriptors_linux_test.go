package main

import (
	"os/exec"
	"strings"
	"testing"
)

// A process that may have few files: whoever is there goes on while others open
// all the connections that they can, the probes answer, and a newcomer gets in.
func TestFewDescriptors(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p, out := launchCommand(t, exec.Command("/bin/sh", "-c", `ulimit -n 100 && exec "$0" "$@"`, bin, "-addr", "127.0.0.1:0", "-data", t.TempDir(), "-header-timeout", "1m", "-log", "text"))
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	p.url = printed.FindString(line)
	wantLine(t, p.stderr, "level=WARN", "LimitNOFILE", "max_conns=10000", "open_files=100")
	c := chatDial(t, p.url)
	write(t, c, `{"type":"hello","name":"Ada"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"lobby"}`)
	read(t, c)
	halves(t, p.url, 300)
	for i := range 3 {
		write(t, c, `{"type":"send","room":"lobby","id":"`+string(rune('a'+i))+`","text":"still here"}`)
		if got := read(t, c); !strings.Contains(got, `"ack"`) {
			t.Errorf("%s", got)
		}
		read(t, c)
		if status, _, body := get(t, p.url+"/healthz"); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	newcomer := chatDial(t, p.url)
	write(t, newcomer, `{"type":"hello","name":"Bob"}`)
	read(t, newcomer)
	if strings.Contains(p.stderr.String(), "too many open files") {
		t.Error("it ran out of descriptors")
	}
}
