package testees

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Key is a testee in a role.
type Key struct{ Name, Role string }

// Verdicts are pairs of behavior and behaviorClose, by testee and case.
type Verdicts map[Key]map[string][2]string

// FormatVerdicts writes verdicts as lines: the testee, the role, both verdicts, and
// the ids of the cases that have them.
func FormatVerdicts(v Verdicts) []byte {
	var b bytes.Buffer
	b.WriteString("# What the Autobahn testsuite 25.10.1 says of the testees of this package.\n" +
		"# Written by: go run ./autobahn/wsspec/testees/record\n#\n" +
		"# testee, role; then behavior / behaviorClose: cases\n")
	keys := slices.SortedFunc(maps.Keys(v), func(a, b Key) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Role, b.Role))
	})
	for _, k := range keys {
		fmt.Fprintf(&b, "\n%s, %s\n", k.Name, k.Role)
		cases := map[[2]string][]string{}
		for id, pair := range v[k] {
			cases[pair] = append(cases[pair], id)
		}
		for _, pair := range slices.SortedFunc(maps.Keys(cases), func(a, b [2]string) int {
			return cmp.Or(len(cases[b])-len(cases[a]), strings.Compare(a[0]+a[1], b[0]+b[1]))
		}) {
			fmt.Fprintf(&b, "\t%s / %s: %s\n", pair[0], pair[1], ranges(cases[pair]))
		}
	}
	return b.Bytes()
}

// ranges joins ids, with 2.1-3 for 2.1 2.2 2.3.
func ranges(ids []string) string {
	type id struct {
		prefix string
		n      int
	}
	var all []id
	for _, s := range ids {
		i := strings.LastIndexByte(s, '.')
		n, _ := strconv.Atoi(s[i+1:])
		all = append(all, id{s[:i], n})
	}
	slices.SortFunc(all, func(a, b id) int {
		return cmp.Or(compareNumbers(a.prefix, b.prefix), a.n-b.n)
	})
	var words []string
	for i := 0; i < len(all); {
		j := i
		for j+1 < len(all) && all[j+1] == (id{all[i].prefix, all[j].n + 1}) {
			j++
		}
		w := fmt.Sprintf("%s.%d", all[i].prefix, all[i].n)
		if j > i {
			w += fmt.Sprintf("-%d", all[j].n)
		}
		words = append(words, w)
		i = j + 1
	}
	return strings.Join(words, " ")
}

func compareNumbers(a, b string) int {
	numbers := func(s string) (ns []int) {
		for w := range strings.SplitSeq(s, ".") {
			n, _ := strconv.Atoi(w)
			ns = append(ns, n)
		}
		return ns
	}
	return slices.Compare(numbers(a), numbers(b))
}

// ReadVerdicts reads what FormatVerdicts has written.
func ReadVerdicts(file string) (Verdicts, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	v := Verdicts{}
	var cases map[string][2]string
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "" || line[0] == '#':
		case line[0] != '\t':
			name, role, ok := strings.Cut(line, ", ")
			if !ok {
				return nil, fmt.Errorf("%s:%d: %q; want a testee and a role", file, n, line)
			}
			cases = map[string][2]string{}
			v[Key{name, role}] = cases
		default:
			pair, list, ok := strings.Cut(line[1:], ": ")
			behavior, end, ok2 := strings.Cut(pair, " / ")
			if !ok || !ok2 || cases == nil {
				return nil, fmt.Errorf("%s:%d: %q; want behavior / behaviorClose: cases", file, n, line)
			}
			for w := range strings.FieldsSeq(list) {
				for _, id := range unrange(w) {
					cases[id] = [2]string{behavior, end}
				}
			}
		}
	}
	return v, lines.Err()
}

func unrange(w string) []string {
	from, to, ok := strings.Cut(w, "-")
	if !ok {
		return []string{w}
	}
	i := strings.LastIndexByte(from, '.')
	a, _ := strconv.Atoi(from[i+1:])
	b, _ := strconv.Atoi(to)
	var ids []string
	for ; a <= b; a++ {
		ids = append(ids, fmt.Sprintf("%s.%d", from[:i], a))
	}
	return ids
}
