package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
)

// asksForVersion reports whether the program is only to say what it is.
func asksForVersion(args []string) bool {
	return len(args) == 1 && slices.Contains([]string{"-version", "--version", "version"}, args[0])
}

// released is the version of a release, which the linker writes here
// (-X main.released=v0.1.0): a release is built from the files alone, so that everybody
// who builds it gets the same bytes, and the go command does not know then what it is.
var released string

// version says what was built, from what the go command wrote into the binary:
// the module's version, the commit and whether the tree had changes that are
// not in it, Go's version and the platform.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "framewright, built without build information, " + platform()
	}
	return describe(info)
}

func describe(info *debug.BuildInfo) string {
	module := cmp.Or(released, info.Main.Version)
	if module == "" || module == "(devel)" {
		module = "development version"
	}
	s := "framewright " + module
	settings := map[string]string{}
	for _, v := range info.Settings {
		settings[v.Key] = v.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		s += fmt.Sprintf(", commit %.12s", revision)
		if at := settings["vcs.time"]; at != "" {
			s += " of " + at
		}
		if settings["vcs.modified"] == "true" {
			s += " with changes"
		}
	}
	return s + ", " + info.GoVersion + " " + platform()
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
