package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// overwrite copies a file onto another.
func overwrite(t *testing.T, to, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A certificate follows its files; what does not work stays out, and the log
// has it once.
func TestCertificateFollowsItsFiles(t *testing.T) {
	cert, key, _ := testCertificate(t)
	cert2, key2, _ := testCertificate(t)
	synctest.Test(t, func(t *testing.T) {
		log := new(buffer)
		c, err := newCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		go c.watch(t.Context())
		first := c.current.Load()
		want := func(when string, changed bool, errors, infos int) {
			t.Helper()
			synctest.Wait()
			if c.current.Load() != first != changed {
				t.Errorf("%s: another certificate: %v", when, !changed)
			}
			if e, i := strings.Count(log.String(), "level=ERROR"), strings.Count(log.String(), "read anew"); e != errors || i != infos {
				t.Errorf("%s: %d errors and %d successes, want %d and %d\n%s", when, e, i, errors, infos, log)
			}
		}
		time.Sleep(10 * certificateEvery)
		want("nothing has changed", false, 0, 0)
		overwrite(t, cert, cert2) // and the key a moment later
		time.Sleep(certificateEvery)
		want("half of it", false, 0, 0)
		overwrite(t, key, key2)
		time.Sleep(certificateEvery)
		want("all of it", true, 0, 1)
		first = c.current.Load()
		os.WriteFile(cert, []byte("no certificate"), 0o600)
		time.Sleep(10 * certificateEvery)
		want("a broken one", false, 1, 1)
		os.Remove(cert)
		time.Sleep(10 * certificateEvery)
		want("none", false, 2, 1)
		c.look(true)
		want("none, and asked for", false, 3, 1)
		overwrite(t, cert, cert2)
		time.Sleep(certificateEvery)
		want("back again", true, 3, 2)
		c.look(true)
		want("asked for, and the same", true, 3, 2)
	})
}

// SIGHUP does not end the server, with a certificate or without.
func TestHangup(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	p := spawn(t, "-memory")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Skip("no such signal here:", err)
	}
	wantLine(t, p.stderr, "SIGHUP", "nothing to read anew")
	if status, _, _ := get(t, p.url+"/healthz"); status != 200 {
		t.Error(status)
	}
	cert, key, _ := testCertificate(t)
	cert2, key2, client := testCertificate(t)
	p = spawn(t, "-memory", "-cert", cert, "-key", key)
	if _, err := client.Get(p.url + "/healthz"); err == nil {
		t.Fatal("it has the second certificate already")
	}
	overwrite(t, cert, cert2)
	overwrite(t, key, key2)
	p.cmd.Process.Signal(syscall.SIGHUP)
	wantLine(t, p.stderr, "the certificate was read anew")
	resp, err := client.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if status := p.wait(t); status != 0 {
		t.Error(status)
	}
}
