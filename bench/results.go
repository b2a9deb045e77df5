package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/report"
)

// markdown is the whole report.
func (r *run) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d repetitions, with minimum and maximum; %v at %s.\n", r.reps, r.took.Round(time.Second), r.began.UTC().Format("2006-01-02 15:04 UTC"))
	b.WriteString(r.noise())
	b.WriteString("\n\n")
	for _, line := range r.about() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, row := range r.rows {
		fmt.Fprintf(&b, "\n### %s\n\n", row.title)
		if row.note != "" {
			b.WriteString(row.note + "\n\n")
		}
		b.WriteString(r.table(row))
	}
	return b.String()
}

// noise says how quiet the machine was.
func (r *run) noise() string {
	text := fmt.Sprintf("During the measurements others kept %s cores busy (median; at worst %s).", report.Number(r.others.Median()), report.Number(r.others.Max()))
	if r.waited || r.others.Median() > machine.Quiet {
		text += " **The machine was not quiet**, and waiting for that was given up."
	}
	return text
}

// table has a line for each server. Where there is a floor, the second column
// compares with it.
func (r *run) table(row *row) string {
	floor := r.samples[row]["raw TCP"][row.figures[0].key].Median()
	head := []string{"server", row.figures[0].head, "× raw TCP"}
	for _, f := range row.figures[1:] {
		head = append(head, f.head)
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
			if i == 0 {
				line = append(line, report.Number(of[f.key].Median()/floor))
			}
		}
		lines = append(lines, line)
	}
	return report.Table(head, slices.Clip(lines))
}
