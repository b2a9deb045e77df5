package main

import (
	"bytes"
	"context"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"-version"}, {"--version"}, {"version"}} {
		var out, errs bytes.Buffer
		if code := run(context.Background(), args, nil, &out, &errs); code != 0 || errs.Len() > 0 {
			t.Errorf("%q: exit status %d, %q", args, code, errs.String())
		}
		if s := out.String(); !strings.HasPrefix(s, "framewright ") || !strings.HasSuffix(s, platform()+"\n") {
			t.Errorf("%q: %q", args, s)
		}
	}
	// Not together with anything else: a setting must not be lost silently.
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"-version", "-addr", ":0"}, nil, &out, &errs); code != 2 {
		t.Errorf("exit status %d, %q", code, errs.String())
	}
}

func TestDescribe(t *testing.T) {
	setting := func(k, v string) debug.BuildSetting { return debug.BuildSetting{Key: k, Value: v} }
	for _, tt := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"a release", debug.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Version: "v1.2.3"}},
			"framewright v1.2.3, go1.26.1 " + platform()},
		{"a checkout", debug.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
			setting("vcs.revision", "0123456789abcdef0123"), setting("vcs.time", "2026-01-02T03:04:05Z"), setting("vcs.modified", "false")}},
			"framewright development version, commit 0123456789ab of 2026-01-02T03:04:05Z, go1.26.1 " + platform()},
		{"a changed checkout", debug.BuildInfo{GoVersion: "go1.26.1", Settings: []debug.BuildSetting{
			setting("vcs.revision", "0123456789abcdef0123"), setting("vcs.modified", "true")}},
			"framewright development version, commit 0123456789ab with changes, go1.26.1 " + platform()},
	} {
		if got := describe(&tt.info); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}
