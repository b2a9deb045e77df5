//go:build unix

package main

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// What is no regular file is not opened: a pipe would hold the request until
// somebody writes to it.
func TestSiteHasRegularFilesOnly(t *testing.T) {
	dir := siteOf(t, "index.html", "index", "to-pipe", "-> pipe", "sub/index.html/x", "a folder")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "index.htm"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // a socket's name is short
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wantSite(t, siteHandler(t, dir), "/pipe", "404", "/to-pipe", "404", "/socket", "404", "/sub/", "404", "/", "200 index")
}
