package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"framewright/autobahn/internal/explain"
	"framewright/autobahn/wsspec"
)

// replayCase plays one case and writes the whole dialogue, explained, with what was
// expected beside what came. The exit status is the verdict's.
func (o *options) replayCase(ctx context.Context, tr *trial, all []*wsspec.Case, w io.Writer) (int, error) {
	c := wsspec.ParseFuzzID(o.replay)
	if i := slices.IndexFunc(all, func(c *wsspec.Case) bool { return c.ID == o.replay }); i >= 0 {
		c = all[i]
	}
	if c == nil {
		return 0, fmt.Errorf("-replay %q: no case has that id; -list shows them", o.replay)
	}
	if !c.Roles.Has(tr.role) {
		return 0, fmt.Errorf("-replay %s: the case is not for the role of a %s", c.ID, tr.role)
	}
	if err := tr.player.Preflight(ctx); err != nil {
		return 0, fmt.Errorf("%s: %w", tr.target, err)
	}
	fmt.Fprintf(w, "%s  %s\n", c.ID, c.Title)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%-10s %s\n", name, strings.ReplaceAll(text, "\n", "\n           "))
		}
	}
	row("rule", strings.TrimSpace(string(c.Level)+" "+c.Section))
	row("clause", c.Clause)
	row("why", c.Why)
	fmt.Fprintf(w, "\n> is sent by the suite, < by %s\n", tr.target)
	for r := range wsspec.PlayAll(ctx, tr.player, []*wsspec.Case{c}, o.pace) {
		if err := explain.Write(w, tr.role, r.Wire, r.LeftOut); err != nil {
			return 0, err
		}
		fmt.Fprintln(w)
		row("outcome", string(r.Outcome))
		if r.Behavior != "" {
			row("Autobahn", r.Behavior+" / "+r.BehaviorClose)
		}
		row("expected", r.Expected)
		row("actual", r.Actual)
		if r.RemoteClose != 0 {
			row("close code", fmt.Sprint(r.RemoteClose))
		}
		row("output", r.Output)
		if r.Outcome == wsspec.Failed || o.strict && r.Outcome == wsspec.Weak {
			return 1, nil
		}
		return 0, nil
	}
	return 0, context.Cause(ctx)
}
