package main

import (
	"strings"
	"syscall"
	"testing"
)

// A server whose disk is full is alive and not ready, until it can write again.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("a small file system of its own cannot be mounted here: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := start(t, "-data", dir, "-publish-key", testKey)
	body := `{"room":"lobby","text":"` + strings.Repeat("x", 10_000) + `"}`
	status := 200
	for n := 0; status == 200 && n < 1000; n++ {
		status, _ = post(t, p, body)
	}
	if status != 503 {
		t.Fatalf("the disk is full, and publishing gives %d", status)
	}
	if status, _, body := get(t, p.url+"/readyz"); status != 503 || body != "the store cannot write\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, _, _ := get(t, p.url+"/healthz"); status != 200 {
		t.Errorf("/healthz: %d", status)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if status, answer := post(t, p, body); status != 200 {
		t.Fatalf("there is room again, and publishing gives %d %v", status, answer)
	}
	if status, _, body := get(t, p.url+"/readyz"); status != 200 {
		t.Errorf("/readyz: %d %q", status, body)
	}
	p.wantLine(t, "the store can write again")
}
