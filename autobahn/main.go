package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"framewright/autobahn/internal/wstest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := choose(os.Args[1:])(ctx, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// choose takes -engine out of the arguments, wherever it stands: the engines have
// flags of their own.
func choose(args []string) func(context.Context, io.Writer, io.Writer) int {
	engine := "native"
	var rest []string
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(strings.TrimPrefix(args[i], "-"), "=")
		if name != "engine" && name != "-engine" || !strings.HasPrefix(args[i], "-") {
			rest = append(rest, args[i])
			continue
		}
		if !has {
			if i++; i < len(args) {
				value = args[i]
			}
		}
		engine = value
	}
	return func(ctx context.Context, stdout, stderr io.Writer) int {
		switch engine {
		case "native":
			return run(ctx, rest, stdout, stderr)
		case "wstest":
			return wstest.Main(ctx, rest, stdout, stderr)
		}
		io.WriteString(stderr, "autobahn: -engine "+engine+"; want native, or wstest for the real Autobahn testsuite\n")
		return 2
	}
}
