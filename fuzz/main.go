// Fuzz runs the fuzz targets of this folder, of the packages that have some, and of the
// nested module differential, each for a given time.
//
//	go run ./fuzz -time 1m -run 'Chunking|Read'
//	go run ./fuzz -in '^(chat|lab)/'
//
// It prints one line a target and then "N passed, N failed", and exits with 1
// if a target failed, with 2 if it could not start.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// modules are the folders with targets, from the root of the main module.
var modules = []string{
	"fuzz", "ws/internal/deflate", "ws/internal/h2", "engineio", "engineio/client", "socketio", "socketio/client", "fuzz/differential",
	"ws/wstest", "chat/boltstore", "chat/plain", "chat/token", "lab", "lab/inflate",
	"internal/lookalike", "internal/strictjson",
	"autobahn/wsspec", "autobahn/wsspec/internal/deflate", "autobahn/wsspec/internal/inflate", "autobahn/internal/explain", "cmd/server/internal/connect",
}

func main() {
	each := flag.Duration("time", 10*time.Second, "how long each target runs")
	run := flag.String("run", "", "run only the targets whose names match this `regexp`")
	in := flag.String("in", "", "run only the targets in folders that match this `regexp`, from the project's root")
	parallel := flag.Int("parallel", 0, "`workers` a target; 0 is one a processor")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: go run ./fuzz [flags]\n\nRuns every fuzz target for a while. See fuzz/README.md.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	match, err := regexp.Compile(*run)
	folders, inErr := regexp.Compile(*in)
	switch {
	case err != nil:
		fail("-run: %v", err)
	case inErr != nil:
		fail("-in: %v", inErr)
	case flag.NArg() > 0:
		fail("unexpected argument %q; see -h", flag.Arg(0))
	case *each <= 0:
		fail("-time %v: want more than 0", *each)
	case *parallel < 0:
		fail("-parallel %d: want 0 or more", *parallel)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(runAll(ctx, folders, match, *each, *parallel))
}

func fail(text string, args ...any) {
	fmt.Fprintf(os.Stderr, "fuzz: "+text+"\n", args...)
	os.Exit(2)
}

func runAll(ctx context.Context, folders, match *regexp.Regexp, each time.Duration, parallel int) int {
	root, err := moduleRoot(ctx)
	if err != nil {
		fail("%v", err)
	}
	passed, failed := 0, 0
	for _, m := range modules {
		if !folders.MatchString(m) {
			continue
		}
		names, err := targets(ctx, filepath.Join(root, m))
		if err != nil && ctx.Err() == nil {
			fmt.Printf("%-28s FAILED   %v\n", m, err)
			failed++
		}
		for _, name := range names {
			if ctx.Err() != nil || !match.MatchString(name) {
				continue
			}
			t := target{dir: filepath.Join(root, m), module: m, name: name}
			if t.fuzz(ctx, each, parallel) {
				passed++
			} else {
				failed++
			}
		}
	}
	if ctx.Err() != nil {
		fmt.Println("interrupted")
	}
	fmt.Printf("\n%d passed, %d failed\n", passed, failed)
	switch {
	case passed+failed == 0 && ctx.Err() == nil:
		fail("no target matches -run %q and -in %q", match, folders)
	case failed > 0, ctx.Err() != nil:
		return 1
	}
	return 0
}
