package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"framewright/autobahn/wsspec"
)

// faults are those that the page tells of one by one, each reviewed: lines of
// library; role; case; a sentence.
//
//go:embed faults.txt
var faults string

const pageHead = `# What libraries keep of RFC 6455 and RFC 7692

Written by ` + "`cd peers && go run ./testees -page ../autobahn/LIBRARIES.md`" + `, which plays all
%d cases of the suite with each library, as a server and as a client: %s.

Each cell has three counts: cases passed, cases in which a SHOULD is not kept, and cases
in which a MUST is not kept. What is informational, or is about an extension that a
library does not have, is in none. A library is set up as its own documents show, with
the limits raised that the suite means to reach. That a MUST is not kept is often a
decision, such as to leave UTF-8 to the application, or HTTP's part to a server in
front; the clause stands with each case (` + "`go run ./autobahn -list`" + `).
`

// writePage judges every library and writes what there is to say of them.
func writePage(ctx context.Context, file, only string) error {
	cases := wsspec.Cases()
	var all []judged
	var versions []string
	for _, l := range libraries {
		if only != "" && !slices.Contains(strings.Split(only, ","), l.name) {
			continue
		}
		versions = append(versions, l.name+" "+l.version())
		for _, role := range []wsspec.Role{wsspec.Server, wsspec.Client} {
			of := slices.DeleteFunc(slices.Clone(cases), func(c *wsspec.Case) bool { return !c.Roles.Has(role) })
			j := l.judge(ctx, role, of, wsspec.Settings{})
			fmt.Fprintf(os.Stderr, "%s, %s: %d of %d cases, %d crashes, %v\n", l.name, role, len(j.results), len(of), len(j.crashes), j.err)
			all = append(all, j)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, pageHead, len(cases), strings.Join(versions, ", "))
	for _, role := range []wsspec.Role{wsspec.Server, wsspec.Client} {
		table(&out, all, role)
	}
	if err := dialogues(&out, all); err != nil {
		return err
	}
	details(&out, all)
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// table has a row for each library and a column for each chapter.
func table(out io.Writer, all []judged, role wsspec.Role) {
	var chapters []string
	for _, c := range wsspec.Cases() {
		if c.Roles.Has(role) && !slices.Contains(chapters, c.Chapter) {
			chapters = append(chapters, c.Chapter)
		}
	}
	fmt.Fprintf(out, "\n## As a %s\n\n| library | %s |\n|%s\n", role, strings.Join(chapters, " | "), strings.Repeat(" --- |", len(chapters)+1))
	for _, j := range all {
		if j.role != role {
			continue
		}
		fmt.Fprintf(out, "| %s |", j.library.name)
		for _, chapter := range chapters {
			if j.err != nil {
				fmt.Fprint(out, " not judged |")
				continue
			}
			passed, weak, failed := j.count(chapter)
			fmt.Fprintf(out, " %d / %d / %d |", passed, weak, failed)
		}
		fmt.Fprintln(out)
	}
}

func (j judged) count(chapter string) (passed, weak, failed int) {
	for c, r := range j.results {
		if c.Chapter != chapter {
			continue
		}
		switch {
		case j.crashes[c] != "" || r.Outcome == wsspec.Failed && c.Level == wsspec.Must:
			failed++
		case r.Outcome == wsspec.Passed:
			passed++
		case r.Outcome == wsspec.Weak, r.Outcome == wsspec.Failed:
			weak++
		}
	}
	return passed, weak, failed
}

// dialogues shows the reviewed faults, each with what went over the wire.
func dialogues(out io.Writer, all []judged) error {
	fmt.Fprint(out, "\n## Faults, each with its dialogue\n\nThe suite's bytes behind `>`, the library's behind `<`; handshakes that are as they\nshould be are left out.\n")
	lines := bufio.NewScanner(strings.NewReader(faults))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.SplitN(line, "; ", 4)
		if len(fields) != 4 {
			return fmt.Errorf("faults.txt:%d: want library; role; case; a sentence", n)
		}
		for _, j := range all {
			if j.library.name != fields[0] || string(j.role) != fields[1] {
				continue
			}
			i := slices.IndexFunc(wsspec.Cases(), func(c *wsspec.Case) bool { return c.ID == fields[2] })
			if i < 0 {
				return fmt.Errorf("faults.txt:%d: there is no case %s", n, fields[2])
			}
			id := fields[2]
			for c, r := range j.results {
				if c.ID == id {
					if r.Outcome != wsspec.Failed && j.crashes[c] == "" {
						fmt.Fprintf(os.Stderr, "faults.txt:%d: %s as a %s keeps %s now; left out\n", n, fields[0], fields[1], id)
						continue
					}
					fmt.Fprintf(out, "\n### %s %s, %s: %s\n\n%s\n\n```\n%s```\n", fields[0], j.library.version(), j.role, c.ID, fields[3], dialogue(r))
					if words := j.crashes[c]; words != "" {
						fmt.Fprintf(out, "\nThe process ends: `%s`.\n", words)
					}
				}
			}
		}
	}
	return nil
}

// dialogue is what went over the wire, without a handshake that succeeded.
func dialogue(r wsspec.Result) string {
	wire := r.Wire
	if i := slices.IndexFunc(wire, func(rec wsspec.Record) bool { return bytes.HasPrefix(rec.Bytes, []byte("HTTP/1.1 101")) }); i >= 0 && !strings.HasPrefix(r.Case.Chapter, "handshake") {
		rest := wire[i].Bytes
		if end := bytes.Index(rest, []byte("\r\n\r\n")); end >= 0 && len(rest) > end+4 {
			rec := wire[i]
			rec.Bytes, rec.Size = rest[end+4:], rec.Size-end-4
			wire = append([]wsspec.Record{rec}, wire[i+1:]...)
		} else {
			wire = wire[i+1:]
		}
	}
	var b strings.Builder
	for _, rec := range wire {
		switch {
		case rec.Note != "":
			fmt.Fprintf(&b, "  (%s)\n", rec.Note)
		case bytes.Contains(rec.Bytes, []byte(" HTTP/1.")) || bytes.HasPrefix(rec.Bytes, []byte("HTTP/")):
			for line := range strings.Lines(string(rec.Bytes)) {
				fmt.Fprintf(&b, "%s %s\n", arrow(rec), strings.TrimRight(line, "\r\n"))
			}
		default:
			const shown = 40
			more := ""
			if rec.Size > shown {
				more = fmt.Sprintf(" … %d bytes", rec.Size)
			}
			fmt.Fprintf(&b, "%s % x%s\n", arrow(rec), rec.Bytes[:min(len(rec.Bytes), shown)], more)
		}
	}
	return b.String()
}

func arrow(rec wsspec.Record) string {
	if rec.Sent {
		return ">"
	}
	return "<"
}

// details lists the cases of each library in which a MUST is not kept.
func details(out io.Writer, all []judged) {
	fmt.Fprint(out, "\n## The MUSTs that are not kept, case by case\n\nAutobahn's own cases by their ids; the others by section.\n")
	for _, j := range all {
		var failed []*wsspec.Case
		for c, r := range j.results {
			if j.crashes[c] != "" || r.Outcome == wsspec.Failed && c.Level == wsspec.Must {
				failed = append(failed, c)
			}
		}
		if len(failed) == 0 && j.err == nil {
			continue
		}
		slices.SortFunc(failed, func(a, b *wsspec.Case) int {
			return cmp.Or(strings.Compare(a.Chapter, b.Chapter), strings.Compare(a.ID, b.ID))
		})
		fmt.Fprintf(out, "\n**%s, %s** (%s):", j.library.name, j.role, j.library.about)
		if j.err != nil {
			fmt.Fprintf(out, " not judged: %v", j.err)
		}
		for _, c := range failed {
			crash := ""
			if j.crashes[c] != "" {
				crash = " (the process ends)"
			}
			fmt.Fprintf(out, " `%s`%s", c.ID, crash)
		}
		fmt.Fprintln(out)
	}
}
