// Release builds the chat server for those who do not build it themselves: an archive
// for each platform, what is in it (an SBOM), and the checksums of all.
//
//	go run ./internal/release -version v0.1.0 -out dist
//
// Whoever builds the same files with the same version of Go gets the same bytes, in
// whatever folder and on whatever machine: nothing of a clock, a path or git is in them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// platforms are what a release is built for.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], ".", os.Stdout, os.Stderr))
}

// run builds a release of the module in dir. The exit status is 0 if all of it is there,
// 1 if something failed, 2 for arguments that make no sense.
func run(ctx context.Context, args []string, dir string, stdout, stderr io.Writer) int {
	r := release{dir: dir}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&r.version, "version", "", "the release's `VERSION`, such as v0.1.0")
	flags.StringVar(&r.out, "out", "dist", "`DIR` for what is built; empty, or not there yet")
	list := flags.String("platforms", strings.Join(platforms, ","), "`LIST` of platforms, GOOS/GOARCH")
	force := flags.Bool("force", false, "go on in a tree that is not in git, or has changes that are not committed")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: go run ./internal/release -version VERSION [flags]\n\nBuilds the chat server for all platforms, with an SBOM for each and checksums.\n\n")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "release: unexpected argument %q; see -h\n", flags.Arg(0))
		return 2
	}
	r.platforms = strings.Split(*list, ",")
	if err := r.check(); err != nil {
		fmt.Fprintf(stderr, "release: %v\n", err)
		return 2
	}
	err := r.ready(*force)
	if err == nil {
		err = r.build(ctx, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "release: %v\n", err)
		return 1
	}
	return 0
}

// A release is what is built of the module in dir.
type release struct {
	dir       string
	version   string
	out       string
	platforms []string
}

// semver is a version as a tag has it. What stands behind a + makes no other version,
// and tags of Go modules have none.
var semver = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$`)

// check looks at what was asked for.
func (r *release) check() error {
	if !semver.MatchString(r.version) {
		return fmt.Errorf("-version %q: expected a semantic version such as v0.1.0 or v1.0.0-rc.1", r.version)
	}
	for i, p := range r.platforms {
		if !slices.Contains(platforms, p) {
			return fmt.Errorf("-platforms: %q: expected some of %s", p, strings.Join(platforms, ", "))
		}
		if slices.Contains(r.platforms[:i], p) {
			return fmt.Errorf("-platforms: %s is there twice", p)
		}
	}
	return nil
}

// ready returns an error if what would be built is not what others can have, or would
// stand among other things.
func (r *release) ready(force bool) error {
	if entries, err := os.ReadDir(r.out); err == nil && len(entries) > 0 {
		return fmt.Errorf("-out %s is not empty (%s is there); expected a folder that is, or one that is not there yet", r.out, entries[0].Name())
	}
	if force {
		return nil
	}
	cmd := exec.Command("git", "status", "--porcelain")
	cmd.Dir = r.dir
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git does not say whether all is committed (%w); -force goes on without", err)
	}
	if len(out) > 0 {
		return fmt.Errorf("there are changes that are not committed; commit them first, or go on with -force:\n%s", strings.TrimRight(string(out), "\n"))
	}
	return nil
}

// build makes every file of the release.
func (r *release) build(ctx context.Context, stdout io.Writer) error {
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return err
	}
	extras, err := r.extras()
	if err != nil {
		return err
	}
	var all []string
	for _, platform := range r.platforms {
		files, err := r.platform(ctx, platform, extras)
		if err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
		for _, name := range files {
			fmt.Fprintln(stdout, filepath.Join(r.out, name))
		}
		all = append(all, files...)
	}
	fmt.Fprintln(stdout, filepath.Join(r.out, sums))
	return r.checksums(all)
}

// platform builds the program for one platform, and returns the names of its files.
func (r *release) platform(ctx context.Context, platform string, extras []entry) ([]string, error) {
	system, arch, _ := strings.Cut(platform, "/")
	name := fmt.Sprintf("framewright-%s-%s-%s", r.version, system, arch)
	program := "framewright"
	if system == "windows" {
		program += ".exe"
	}
	tmp, err := os.MkdirTemp("", "framewright-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	bin := filepath.Join(tmp, program)
	if err := r.compile(ctx, system, arch, bin); err != nil {
		return nil, err
	}
	bill, err := billOf(bin, program, r.version)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(bin)
	if err != nil {
		return nil, err
	}
	entries := append([]entry{{program, 0o755, data}, {"sbom.cdx.json", 0o644, bill}}, extras...)
	archive, pack := name+".tar.gz", tarball
	if system == "windows" {
		archive, pack = name+".zip", zipped
	}
	packed, err := pack(name, entries)
	if err != nil {
		return nil, err
	}
	for file, data := range map[string][]byte{archive: packed, name + ".cdx.json": bill} {
		if err := os.WriteFile(filepath.Join(r.out, file), data, 0o666); err != nil {
			return nil, err
		}
	}
	return []string{archive, name + ".cdx.json"}, nil
}

// compile builds the program so that nothing of this machine is in it: no path, no
// git, no C library, and no setting of the environment.
func (r *release) compile(ctx context.Context, system, arch, bin string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.released="+r.version, "-o", bin, "./cmd/server")
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off",
		"GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GODEBUG=", "GOFIPS140=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
