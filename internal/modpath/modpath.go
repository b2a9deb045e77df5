// Package modpath knows what the path of a module looks like.
package modpath

import (
	"errors"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Check returns an error unless path can be the path of a module, by the rules of
// the Go Modules Reference ("Module paths" and "Major version suffixes") with one
// exception: the first element need not name a host, so that the way back is open to a
// path such as framewright. Then it must be none of the standard library's.
func Check(path string) error {
	if path == "" {
		return errors.New("it is empty; expected something like example.org/you/framewright")
	}
	elements := strings.Split(path, "/")
	for _, e := range elements {
		if err := checkElement(e); err != nil {
			return err
		}
	}
	if err := checkFirst(elements[0]); err != nil {
		return err
	}
	return checkSuffix(elements)
}

// checkElement returns an error unless e can stand between two slashes.
func checkElement(e string) error {
	if e == "" {
		return errors.New("an element is empty: it begins or ends with a slash, or has two in a row")
	}
	if i := strings.IndexFunc(e, func(r rune) bool { return !isPathRune(r) }); i >= 0 {
		return fmt.Errorf("%q has the character %q; expected letters and digits of ASCII, and - . _ ~", e, []rune(e[i:])[0])
	}
	if e[0] == '.' || e[len(e)-1] == '.' {
		return fmt.Errorf("%q begins or ends with a dot", e)
	}
	// What Windows takes for a device or a short name can be no folder of the cache.
	short, _, _ := strings.Cut(e, ".")
	if slices.ContainsFunc(devices, func(d string) bool { return strings.EqualFold(d, short) }) {
		return fmt.Errorf("%q is a device's name on Windows", e)
	}
	if i := strings.LastIndexByte(short, '~'); i >= 0 && i < len(short)-1 && strings.Trim(short[i+1:], "0123456789") == "" {
		return fmt.Errorf("%q ends with a tilde and digits, as short names on Windows do", e)
	}
	return nil
}

var devices = strings.Fields("con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

func isPathRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~", r)
}

// checkFirst looks at what should be a host.
func checkFirst(e string) error {
	if e[0] == '-' {
		return fmt.Errorf("%q begins with a dash", e)
	}
	if i := strings.IndexFunc(e, func(r rune) bool { return r != '-' && r != '.' && !('a' <= r && r <= 'z') && !('0' <= r && r <= '9') }); i >= 0 {
		return fmt.Errorf("the first element %q has the character %q; expected a host in lower case, such as example.org", e, e[i])
	}
	if HasHost(e) {
		return nil
	}
	if e == "cmd" || e == "main" || isStandard(e) {
		return fmt.Errorf("%q begins the names of Go's own packages; expected a host first, such as example.org/%s", e, e)
	}
	return nil
}

func isStandard(e string) bool {
	_, err := os.Stat(filepath.Join(build.Default.GOROOT, "src", e)) // without a GOROOT the compiler says it
	return err == nil
}

// HasHost reports whether the first element of path can be a host.
func HasHost(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// checkSuffix looks at the major version that path ends with, if it does.
func checkSuffix(elements []string) error {
	last := elements[len(elements)-1]
	if elements[0] == "gopkg.in" {
		if _, v, ok := strings.Cut(last, ".v"); !ok || !isNumber(v) {
			return fmt.Errorf("%q has no major version; at gopkg.in it ends as in framewright.v1", last)
		}
		return nil
	}
	v, ok := strings.CutPrefix(last, "v")
	if !ok || len(elements) == 1 || v == "" || strings.Trim(v, "0123456789.") != "" {
		return nil
	}
	if n, err := strconv.Atoi(v); err != nil || n < 2 || !isNumber(v) {
		return fmt.Errorf("it ends with %q; a major version is /v2 or more, without zeros before it and without dots, and there is none for v0 and v1", last)
	}
	return nil
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && (s == "0" || s[0] != '0')
}

// Placeholder is the version to require of the module at path where a replace names a
// folder in its stead: it is not looked for, but its major version has to be the path's.
func Placeholder(path string) string {
	last := path[strings.LastIndexByte(path, '/')+1:]
	if strings.HasPrefix(path, "gopkg.in/") {
		_, v, _ := strings.Cut(last, ".v")
		return "v" + v + ".0.0"
	}
	if v, ok := strings.CutPrefix(last, "v"); ok && last != path && isNumber(v) {
		return "v" + v + ".0.0"
	}
	return "v0.0.0"
}
