//go:build unix

// Elsewhere there is no lock, see lock_other.go.

package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
)

var pins = fstest.MapFS{"pins.txt": {Data: []byte("peer==1.0\n")}}

// cacheIn makes the user's cache folder a temporary one.
func cacheIn(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // Unix
	t.Setenv("HOME", t.TempDir())           // macOS
	t.Setenv("LocalAppData", t.TempDir())   // Windows
}

func TestInCacheFillsOnce(t *testing.T) {
	cacheIn(t)
	var fills atomic.Int32
	fill := func(_ context.Context, dir string) error {
		fills.Add(1)
		if _, err := os.Stat(filepath.Join(dir, "pins.txt")); err != nil {
			t.Errorf("the pinning file is not there to install from: %v", err)
		}
		return os.WriteFile(filepath.Join(dir, "installed"), nil, 0o644)
	}
	var wg sync.WaitGroup
	for range 8 { // as when two test runs start at once
		wg.Go(func() {
			dir, state, err := inCache(t.Context(), "peer", pins, fill)
			if err != nil || state == Cannot {
				t.Errorf("inCache: %v, %v", state, err)
				return
			}
			if _, err := os.Stat(filepath.Join(dir, "installed")); err != nil {
				t.Errorf("handed out before it was complete: %v", err)
			}
		})
	}
	wg.Wait()
	if n := fills.Load(); n != 1 {
		t.Errorf("installed %d times, want once", n)
	}

	other := fstest.MapFS{"pins.txt": {Data: []byte("peer==2.0\n")}}
	if _, state, err := inCache(t.Context(), "peer", other, fill); state != Installed || err != nil {
		t.Errorf("another pinned version is %v, %v; want it installed anew", state, err)
	}
}

func TestInCacheAfterAnInterruption(t *testing.T) {
	cacheIn(t)
	var first string
	_, state, err := inCache(t.Context(), "peer", pins, func(_ context.Context, dir string) error {
		first = dir
		return errors.New("no route to the registry")
	})
	if state != Cannot || err == nil {
		t.Fatalf("a failed installation is %v, %v", state, err)
	}
	// What a killed process leaves: a folder without the marker.
	if err := os.MkdirAll(first, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(first, "half"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dir, state, err := inCache(t.Context(), "peer", pins, func(context.Context, string) error { return nil })
	if state != Installed || err != nil {
		t.Fatalf("after an interruption: %v, %v; want it installed", state, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "half")); err == nil {
		t.Error("the half of an earlier installation is still there")
	}
}

func TestMissingPeersSayHowToGetThem(t *testing.T) {
	cacheIn(t)
	t.Setenv("PATH", t.TempDir())
	for _, r := range All(t.Context()) {
		if r.State != Cannot || r.Path != "" {
			t.Errorf("with an empty PATH: %v", r)
		}
		if !strings.Contains(r.Detail, "PATH; install ") {
			t.Errorf("%s: the reason does not say what is missing and how to get it: %q", r.Name, r.Detail)
		}
	}
}

// A registry that refuses is told on one line, and leaves nothing that a later
// run takes for an installation.
func TestRefusedRegistry(t *testing.T) {
	cacheIn(t)
	bin := t.TempDir()
	for name, script := range map[string]string{
		"node": "echo v20.0.0",
		"npm":  "printf 'npm error code E403\\nnpm error 403 Forbidden\\r\\n' >&2; exit 1",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	for range 2 {
		r := Node(t.Context())
		if r.State != Cannot || r.Path != "" {
			t.Fatalf("got %+v, want it missing", r)
		}
		if s := r.String(); strings.ContainsAny(s, "\r\n") || !strings.Contains(s, "403 Forbidden") || !strings.Contains(s, "registry") {
			t.Errorf("the reason is %q", s)
		}
	}
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a second lock gave %v, want it to wait until its context ended", err)
	}
}
