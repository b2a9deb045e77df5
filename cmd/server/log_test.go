package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Whoever asks for nonsense has a few lines in the log, and is counted.
func TestNobodyFillsTheLog(t *testing.T) {
	p := start(t, "-log-rate", "0.001/5", "-handshake-rate", "0")
	for range 50 {
		for _, path := range []string{"/ws", "/socket.io/?EIO=3", "/socket.io/?EIO=4&transport=polling&sid=nobody%0alevel=ERROR"} {
			r, err := http.Get(p.url + path)
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if r.StatusCode < 400 {
				t.Fatalf("%s: %s", path, r.Status)
			}
		}
	}
	_, _, body := get(t, p.url+"/metrics")
	log := p.stderr.String()
	for _, message := range []string{"refused", "engineio: refused"} {
		if n := strings.Count(log, fmt.Sprintf(`"msg":%q`, message)); n != 5 {
			t.Errorf("%d lines %q, want 5", n, message)
		}
		line := regexp.MustCompile(fmt.Sprintf(`framewright_log_lines_suppressed_total\{message=%q\} [1-9]`, message))
		if !line.MatchString(body) {
			t.Errorf("no %v in the metrics", line)
		}
	}
	p.end(t)
	if log := p.stderr.String(); !strings.Contains(log, `"msg":"log lines suppressed","message":"refused"`) {
		t.Errorf("no summary at the end:\n%s", log)
	}
}
