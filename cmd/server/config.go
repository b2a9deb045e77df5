package main

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// A setting has one name in three places: -max-conns on the command line,
// FRAMEWRIGHT_MAX_CONNS in the environment, max-conns in the file that -config
// names. The command line goes before the environment, the environment before
// the file, the file before the default. What is given in one place is not
// mixed with another's, lists neither.

const envPrefix = "FRAMEWRIGHT_"

// envName is the environment variable of a setting.
func envName(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// A layers is what settings were given outside the command line.
type layers struct {
	source map[string]string // by setting: how an error names the place
	warn   []string          // what is odd, but no error
}

// apply sets in f what the environment and the configuration file say and the
// command line, which f has parsed, does not.
func (l *layers) apply(f *flag.FlagSet, env []string) error {
	l.source = make(map[string]string)
	f.Visit(func(g *flag.Flag) { l.source[g.Name] = "-" + g.Name })
	if err := l.environment(f, env); err != nil {
		return err
	}
	if err := l.nothingEmpty(f); err != nil {
		return err
	}
	if path := f.Lookup("config").Value.String(); path != "" {
		if err := l.file(f, path); err != nil {
			return err
		}
	}
	return l.nothingEmpty(f)
}

// nothingEmpty refuses settings that were given and say nothing: a script whose
// variable is not set means something else than the default.
func (l *layers) nothingEmpty(f *flag.FlagSet) (err error) {
	f.VisitAll(func(g *flag.Flag) {
		if at := l.source[g.Name]; err == nil && at != "" && g.Name != "trace" && strings.TrimSpace(g.Value.String()) == "" {
			kind, _ := flag.UnquoteUsage(g)
			err = usagef("%s %q: expected a %s; leave the setting out for its default", at, g.Value, kind)
		}
	})
	return err
}

func (l *layers) environment(f *flag.FlagSet, env []string) error {
	names := make(map[string]string)
	f.VisitAll(func(g *flag.Flag) { names[envName(g.Name)] = g.Name })
	for _, entry := range env {
		key, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(key, envPrefix) || value == "" { // empty is how one takes a variable away
			continue
		}
		name, ok := names[key]
		switch {
		case !ok:
			// Not an error: Kubernetes makes such names up for a service that
			// is called framewright.
			l.warn = append(l.warn, fmt.Sprintf("the environment variable %s is no setting%s", key, nearest(key, slices.Collect(maps.Keys(names)))))
		case l.source[name] == "":
			if err := f.Set(name, value); err != nil {
				return usagef("invalid value %q for %s: %w", shown(name, value), key, err)
			}
			l.source[name] = key
		}
	}
	return nil
}

// maxConfig is far more than all settings need, in bytes.
const maxConfig = 1 << 20

// file reads "name = value" lines. A # begins a comment, at the beginning of a
// line only, because values may contain it. A list's name may stand there more
// than once.
func (l *layers) file(f *flag.FlagSet, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("-config: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxConfig {
		return fmt.Errorf("-config %s: not a file of settings: expected text of at most %d bytes", path, maxConfig)
	}
	var known []string
	f.VisitAll(func(g *flag.Flag) {
		if g.Name != "config" {
			known = append(known, g.Name)
		}
	})
	first := make(map[string]string)
	scanner := bufio.NewScanner(file)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		at := fmt.Sprintf("%s:%d", path, n)
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return usagef("%s: %.40q: expected name = value, or a comment after #", at, line)
		}
		if !slices.Contains(known, name) {
			return usagef("%s: there is no setting %.40q%s", at, name, nearest(name, known))
		}
		if _, list := f.Lookup(name).Value.(interface{ list() }); first[name] != "" && !list {
			return usagef("%s: %s was set before, at %s", at, name, first[name])
		}
		if l.source[name] != "" && first[name] == "" {
			continue // given in a place that goes before
		}
		if err := f.Set(name, value); err != nil {
			return usagef("%s: invalid value %q for %s: %w", at, shown(name, value), name, err)
		}
		if first[name] == "" {
			first[name] = at
			l.source[name] = at + ": " + name
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("-config %s: %w", path, err)
	}
	return nil
}

// named is how an error calls a setting: by the place where it was set.
func (l *layers) named(name string) string {
	if at := l.source[name]; at != "" {
		return at
	}
	return "-" + name
}

// shown keeps a secret out of an error.
func shown(name, value string) string {
	if name == "publish-key" {
		return "…"
	}
	return value
}

// nearest suggests the known name that is spelt most like name, if one is.
func nearest(name string, known []string) string {
	best, distance := "", min(len(name)/3+2, 5)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := editDistance(name, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editDistance counts the bytes to insert, delete or change to make a into b.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64 // nothing that long is a slip of the finger
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, before+cost)
		}
	}
	return row[len(b)]
}
