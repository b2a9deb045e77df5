//go:build linux

package machine

import (
	"strings"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	p, err := Start(t.Context(), 0, "sh", "-c", `echo 127.0.0.1:9; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; read line; echo "got $line"; read line`)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if p.Addr != "127.0.0.1:9" {
		t.Errorf("the address is %q", p.Addr)
	}
	answer, err := p.Ask("this")
	if answer != "got this" || err != nil {
		t.Errorf("the answer is %q, %v", answer, err)
	}
	if cpu := p.CPU(); cpu <= 0 || cpu > time.Minute {
		t.Errorf("it used %v", cpu)
	}
	if m, err := p.Memory(); err != nil || m < 10<<10 || m > 100<<20 {
		t.Errorf("it has %d bytes, %v", m, err)
	}
	p.Settle(5 * time.Second)
	p.Stop()
	if _, err := p.Ask("more"); err == nil {
		t.Error("a program that has ended answered")
	}
}

func TestStartFails(t *testing.T) {
	if _, err := Start(t.Context(), -1, "sh", "-c", "exit 3"); err == nil || !strings.Contains(err.Error(), "ended before") {
		t.Errorf("a program without an address: %v", err)
	}
	if _, err := Start(t.Context(), -1, "/nonexistent"); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestOthers(t *testing.T) {
	now := time.Now()
	a := Snapshot{At: now, Busy: time.Second}
	b := Snapshot{At: now.Add(time.Second), Busy: time.Second + 1700*time.Millisecond, Load: 900 * time.Millisecond, Server: 500 * time.Millisecond}
	if got := Others(a, b); got < 0.299 || got > 0.301 {
		t.Errorf("others kept %v cores busy, expected 0.3", got)
	}
	if busy() <= 0 {
		t.Error("the machine has never done anything")
	}
}
