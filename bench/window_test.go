//go:build linux

package main

import (
	"io"
	"strings"
	"testing"

	"framewright/bench/internal/peer"
)

func TestWindowSettings(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-seconds", "0"}, "-seconds 0: expected"},
		{[]string{"-repeat", "100"}, "-repeat 100: expected"},
		{[]string{"-servers", "nobody"}, `no server is called "nobody"; there are raw TCP; framewright, server echo`},
		{[]string{"-rows", "nothing"}, "no row's title contains"},
		{[]string{"-also", "nothing"}, "expected NAME=COMMAND"},
		{[]string{"more"}, `"more" is no setting`},
	} {
		err := windowCommand(t.Context(), test.args, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, expected %q", test.args, err, test.want)
		}
	}
}

// Rows name servers that there are, and compressed ones those that compress.
func TestWindowRows(t *testing.T) {
	for _, row := range windowRows(also{"old": {"server", "echo"}}) {
		for _, name := range row.servers {
			if name == oursEcho || name == "old" {
				continue
			}
			if _, ok := peer.ByName(name); !ok {
				t.Errorf("%s: no server is called %q", row.title, name)
			}
			if strings.HasPrefix(row.title, "compressed") && servers[compressing[name]] == nil {
				t.Errorf("%s: %q does not compress", row.title, name)
			}
		}
	}
}
