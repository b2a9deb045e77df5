package report

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"framewright/autobahn/wsspec"
)

type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Name    string       `xml:"name,attr"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"`
		Failure *junitText  `xml:"failure"`
		Skipped *junitText  `xml:"skipped"`
		Output  *junitPlain `xml:"system-out"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
	junitPlain struct {
		Text string `xml:",chardata"`
	}
)

// WriteJUnit writes reports as JUnit's XML: a suite for each role and chapter. What
// was not as expected is a failure; what was skipped, did not run, or fails as is
// known, is skipped.
func WriteJUnit(w io.Writer, reports []*Report) error {
	doc := junitSuites{Name: "wsspec"}
	for _, r := range reports {
		at := map[string]int{}
		suite := func(chapter string) *junitSuite {
			i, ok := at[chapter]
			if !ok {
				i = len(doc.Suites)
				at[chapter] = i
				doc.Suites = append(doc.Suites, junitSuite{
					Name:      fmt.Sprintf("%s %s %s", r.Agent, r.Role, chapter),
					Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05"),
				})
			}
			return &doc.Suites[i]
		}
		took := map[string]time.Duration{}
		for _, c := range r.Cases {
			suite(c.Chapter).add(r.junit(c))
			took[c.Chapter] += c.Took
		}
		for chapter, t := range took {
			suite(chapter).Time = seconds(t)
		}
		for _, id := range r.NotRun {
			suite("not run").add(junitCase{Class: string(r.Role) + ".not run", Name: id, Time: "0", Skipped: &junitText{Message: "not run: the run was ended before"}})
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func (r *Report) junit(c Case) junitCase {
	j := junitCase{Class: fmt.Sprintf("%s.%s.%s", r.Agent, r.Role, c.Chapter), Name: c.ID + " " + c.Title, Time: seconds(c.Took)}
	switch {
	case !c.OK:
		j.Failure = &junitText{Message: c.Actual, Type: string(c.Outcome), Text: r.story(c)}
	case c.Outcome == wsspec.Skipped:
		j.Skipped = &junitText{Message: c.Actual}
	case c.Known && c.Outcome != wsspec.Passed:
		j.Skipped = &junitText{Message: fmt.Sprintf("%s, as expected: %s", c.Outcome, c.Why)}
	case c.Outcome != wsspec.Passed:
		j.Output = &junitPlain{r.story(c)}
	}
	return j
}

// story is all that there is to say of a case, as plain text.
func (r *Report) story(c Case) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name+":", strings.ReplaceAll(value, "\n", "\n          "))
		}
	}
	line("outcome", string(c.Outcome))
	line("rule", strings.TrimSpace(string(c.Level)+" "+c.Section))
	line("clause", c.Clause)
	line("expected", c.Expected)
	line("actual", c.Actual)
	line("why", c.Why)
	line("output", c.Output)
	if r.Rerun != "" {
		line("rerun", r.Rerun+" "+Quote(c.ID))
	}
	for _, p := range c.Wire {
		fmt.Fprintf(&b, "  %8.1f ms  %s\n", p.Ms, p)
	}
	return b.String()
}

// String is a piece as one line.
func (p Piece) String() string {
	b, _ := hex.DecodeString(p.Hex) // of a file that somebody has changed it may be cut short
	return wsspec.Record{Sent: p.Sent, Bytes: b, Size: p.Size, Note: p.Note}.String()
}

// Quote makes a word one of a POSIX shell.
func Quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
