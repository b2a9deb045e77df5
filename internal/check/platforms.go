package main

import (
	"fmt"
	"strings"
)

// crossPlatforms are those that everything compiles for, tests included,
// beside the one that this runs on: another system each, another processor,
// and one whose int has 32 bits.
var crossPlatforms = []string{"windows/amd64", "darwin/arm64", "freebsd/amd64", "linux/arm64", "linux/386"}

// platforms vets every module, which compiles its tests, for every platform,
// and counts each pair.
func platforms(j *job) (r result) {
	for _, platform := range crossPlatforms {
		system, arch, _ := strings.Cut(platform, "/")
		for _, dir := range modules {
			// The first time the standard library is compiled for the platform,
			// by a compiler that need not optimise what nobody runs.
			cmd := j.command(dir, "go", "vet", "-gcflags=all=-N -l", "./...")
			// Without cgo, as no compiler for the other platform is at hand.
			cmd.Env = append(cmd.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
			if err := j.do(cmd); err != nil {
				fmt.Fprintf(j.log, "in %s for %s: %v\n", dir, platform, err)
				r.failed++
				r.notes = append(r.notes, platform+": go vet fails in "+dir)
			} else {
				r.passed++
			}
		}
	}
	return r
}
