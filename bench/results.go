//go:build linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/report"
)

// markdown is the whole report; with plots, it refers to those that write makes.
func (r *run) markdown(plots bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d repetitions, with minimum and maximum, measured %s in %v, %v a measurement.\n",
		r.reps, r.began.UTC().Format("2006-01-02 15:04 UTC"), r.took.Round(time.Second), r.duration(1))
	b.WriteString(r.noise() + "\n\n")
	for _, line := range r.about() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	if best, all := r.best(), r.summary(); all != "" {
		b.WriteString("\n## At a glance\n\n" + best + "\nAll medians:\n\n" + all)
	}
	group := ""
	for _, row := range r.rows {
		if row.group != group {
			group = row.group
			fmt.Fprintf(&b, "\n## %s%s\n", strings.ToUpper(group[:1]), group[1:])
			if plots && plotTitles[group] != "" {
				fmt.Fprintf(&b, "\n![%s](plots/%s.svg)\n", group, group)
			}
		}
		fmt.Fprintf(&b, "\n### %s\n\n", row.title)
		if row.note != "" {
			b.WriteString(row.note + "\n\n")
		}
		if plots && group == "growth" {
			fmt.Fprintf(&b, "![%s](plots/%s)\n\n", row.title, growthFile(row))
		}
		b.WriteString(r.table(row))
	}
	if errs := r.errors(); len(errs) > 0 {
		b.WriteString("\n## Failed\n\n- " + strings.Join(errs, "\n- ") + "\n")
	}
	return b.String()
}

// noise says how quiet the machine was.
func (r *run) noise() string {
	if len(r.others) == 0 {
		return ""
	}
	text := fmt.Sprintf("Everything else on the machine kept %s cores busy meanwhile (median; at worst %s).", report.Number(r.others.Median()), report.Number(r.others.Max()))
	if r.waited || r.others.Median() > machine.Quiet {
		text += " **It was not quiet**, and waiting for that was given up."
	}
	return text
}

// inSummary says that a row compares servers by one figure.
func inSummary(row *row) bool { return row.group != "growth" && row.group != "micro" }

// best compares each of ours with the floor and with the best of the others
// that are written in Go.
func (r *run) best() string {
	var lines [][]string
	for _, row := range r.rows {
		if !inSummary(row) {
			continue
		}
		median := func(name string) float64 { return r.samples[row][name][row.figures[0].key].Median() }
		floor, bestName := cmp.Or(row.floor, "raw TCP"), ""
		for _, name := range row.servers {
			if v := median(name); kind(name) == report.Peer && name != uwsName && v > 0 && (bestName == "" || v < median(bestName)) {
				bestName = name
			}
		}
		for _, name := range row.servers {
			if kind(name) != report.Ours || len(r.samples[row][name]) == 0 {
				continue
			}
			lines = append(lines, []string{
				row.title + ", " + row.figures[0].head, name, report.Number(median(name)),
				report.Number(median(floor)), report.Number(median(name) / median(floor)),
				strings.TrimSpace(report.Number(median(bestName)) + " " + bestName), report.Number(median(uwsName)),
			})
		}
	}
	return report.Table([]string{"work", "ours", "median", "floor", "× floor", "best other in Go", uwsName}, lines)
}

// summary has what counts of each row, a column for each server.
func (r *run) summary() string {
	var names []string
	for _, row := range r.rows {
		for _, name := range row.servers {
			if inSummary(row) && !r.left(name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	order := serverNames()
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(slices.Index(order, a), slices.Index(order, b)) })
	var lines [][]string
	for _, row := range r.rows {
		if !inSummary(row) {
			continue
		}
		line := []string{row.title + ", " + row.figures[0].head}
		for _, name := range names {
			text := "–"
			if r.failed[row][name] != nil {
				text = "failed"
			} else if s := r.samples[row][name][row.figures[0].key]; len(s) > 0 {
				text = report.Number(s.Median())
			}
			line = append(line, text)
		}
		lines = append(lines, line)
	}
	if len(lines) < 2 {
		return ""
	}
	return report.Table(append([]string{"work"}, names...), lines)
}

// table has a line for each server. Where there is a floor, the column behind
// the first figure compares with it.
func (r *run) table(row *row) string {
	floorName := cmp.Or(row.floor, "raw TCP")
	floor := r.samples[row][floorName][row.figures[0].key].Median()
	compared := row.group != "growth" && floorName != "none"
	head := []string{cmp.Or(row.unit, "server")}
	for i, f := range row.figures {
		head = append(head, f.head)
		if i == 0 && compared {
			head = append(head, "× "+floorName)
		}
	}
	var lines [][]string
	for _, name := range row.servers {
		if r.left(name) {
			continue
		}
		of := r.samples[row][name]
		line := []string{name}
		for i, f := range row.figures {
			text := of[f.key].String()
			if r.failed[row][name] != nil {
				text = "failed"
			}
			line = append(line, text)
			if i == 0 && compared {
				line = append(line, report.Number(of[f.key].Median()/floor))
			}
		}
		lines = append(lines, line)
	}
	return report.Table(head, lines)
}

// write writes RESULTS.md and the plots that it shows.
func (r *run) write(folder string) error {
	files := map[string]string{"RESULTS.md": "# Results\n\nMade by `go run . " + r.command + "`; see [README.md](README.md) for how to read them.\n\n" + r.markdown(true)}
	panels := map[string][]report.Panel{}
	for _, row := range r.rows {
		if row.group == "growth" {
			files["plots/"+growthFile(row)] = r.growthPlot(row)
			continue
		}
		if plotTitles[row.group] == "" {
			continue
		}
		panels[row.group] = append(panels[row.group], r.panel(row))
	}
	for group, p := range panels {
		files["plots/"+group+".svg"] = report.Bars(plotTitles[group], p)
	}
	for name, text := range files {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var plotTitles = map[string]string{
	"echo":      "Server's processor time per echoed message, µs",
	"idle":      "Memory per idle connection, KiB",
	"broadcast": "Server's processor time per delivery, µs",
	"handshake": "Server's processor time per opening handshake, µs",
}

func (r *run) panel(row *row) report.Panel {
	p := report.Panel{Title: row.title}
	if row.group == "idle" {
		p.Title += ", " + row.figures[0].head
	}
	for _, name := range row.servers {
		if !r.left(name) {
			p.Bars = append(p.Bars, report.Bar{Name: name, Samples: r.samples[row][name][row.figures[0].key], Kind: kind(name)})
		}
	}
	return p
}

func growthFile(row *row) string {
	name, _, _ := strings.Cut(row.title, " ")
	return "growth-" + name + ".svg"
}

func (r *run) growthPlot(row *row) string {
	var lines []report.Line
	for _, name := range row.servers {
		if r.left(name) {
			continue
		}
		l := report.Line{Name: name, Kind: kind(name)}
		for _, f := range row.figures {
			n, err := strconv.Atoi(f.key)
			if err != nil {
				panic(err) // steps are numbers
			}
			l.X = append(l.X, float64(n))
			l.Y = append(l.Y, r.samples[row][name][f.key])
		}
		lines = append(lines, l)
	}
	return report.Lines(row.title, "connections", row.unit, lines)
}

func kind(server string) report.Kind {
	switch {
	case strings.HasPrefix(server, "framewright"):
		return report.Ours
	case server == "raw TCP", server == "net/http alone":
		return report.Floor
	}
	return report.Peer
}
