package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"framewright/autobahn/internal/explain"
	"framewright/autobahn/wsspec"
)

// A step is one of the way from a TCP listener to a server that keeps the rules.
type step struct {
	name  string
	do    string // what the learner's server has to do, in a sentence
	cases string // what judges it, as -cases has it
}

// track is the way. Each step needs those before it, and nothing of those behind it.
var track = []step{
	{"accept key", "Read the request up to the empty line; answer 101 with Upgrade, Connection and Sec-WebSocket-Accept.", "4.2.2/status-line,4.2.2/upgrade,4.2.2/connection,4.2.2/accept,4.2.2/lines"},
	{"one text frame", "Read a frame's two bytes and its key, unmask, and send the text back unmasked in one frame. The dialogue ends with a Close (opcode 8): send it back in the same way, and end the connection.", "1.1.2,5.3/key-zero"},
	{"lengths", "126: two more bytes, 127: eight; send the shortest form. Text and binary.", "1.1.*,1.2.*,5.2/length-0,5.2/length-125,5.2/length-126,5.2/length-65535,5.2/length-65536"},
	{"mask", "Byte i under byte i mod 4 of the key; fail with 1002 what is not masked.", "5.3/key-ones,5.3/key-is-payload,5.3/lengths-0-to-40,5.3/by-byte,5.1/unmasked-text,5.1/unmasked-binary"},
	{"fragments", "Gather until FIN=1; fail a continuation of nothing, and a text inside a message.", "5.3,5.4,5.5,5.9,5.15,5.18"},
	{"control frames", "Answer pings at once, between fragments too; fail those that are cut or longer than 125 bytes.", "2.*,5.1,5.2,5.6,5.7,5.8,5.19,5.20"},
	{"close", "Answer a Close with its code, then end TCP; fail codes that nobody may send.", "7.1.*,7.3.*,7.7.*,7.9.*"},
	{"UTF-8", "Fail text that is not UTF-8 with 1007, also in a Close; a character may be cut.", "6.*,7.5.1"},
}

// walk plays the track's steps in order and ends with the first that is not reached,
// of which it shows the smallest dialogue that fails. The exit status is 0 when all are.
func (o *options) walk(ctx context.Context, tr *trial, all []*wsspec.Case, w io.Writer) (int, error) {
	for i, s := range track {
		cases, err := wsspec.Select(all, s.cases)
		if err != nil {
			return 0, fmt.Errorf("step %d: %w", i+1, err)
		}
		failed, err := o.failing(ctx, tr, cases)
		if err != nil {
			return 0, err
		}
		if len(failed) == 0 {
			fmt.Fprintf(w, "step %d of %d, %s: reached (%d cases)\n", i+1, len(track), s.name, len(cases))
			continue
		}
		fmt.Fprintf(w, "step %d of %d, %s: %d of %d cases fail\n\n%s\n", i+1, len(track), s.name, len(failed), len(cases), s.do)
		return 1, tellFailed(w, tr, smallest(failed))
	}
	fmt.Fprintln(w, "\nAll steps are reached. Without -track, all cases of the suite are played.")
	return 0, nil
}

// failing plays cases and returns the results of those that fail. A server that is not
// there is an error.
func (o *options) failing(ctx context.Context, tr *trial, cases []*wsspec.Case) (failed []wsspec.Result, err error) {
	played, unreached := 0, 0
	for r := range tr.results(ctx, cases) {
		played++
		if r.Unreached {
			unreached++
		}
		if r.Outcome == wsspec.Failed {
			failed = append(failed, r)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case unreached > 0 && unreached == played:
		return nil, errors.New("nothing takes a connection there: is the server running, and is this its port?")
	}
	return failed, nil
}

// smallest is the result with the fewest bytes on the wire; of equals, the one whose case
// stands first.
func smallest(results []wsspec.Result) wsspec.Result {
	size := func(r wsspec.Result) (n int) {
		for _, rec := range r.Wire {
			n += rec.Size
		}
		return n
	}
	return slices.MinFunc(results, func(a, b wsspec.Result) int {
		if d := size(a) - size(b); d != 0 {
			return d
		}
		return slices.Compare([]byte(a.Case.ID), []byte(b.Case.ID))
	})
}

func tellFailed(w io.Writer, tr *trial, r wsspec.Result) error {
	fmt.Fprintf(w, "\nnext: %s, %s (%s)\nexpected: %s\nactual:   %s\n\n> is sent by the suite, < by the server\n",
		r.Case.ID, r.Case.Title, r.Case.Section, r.Expected, r.Actual)
	if err := explain.Write(w, tr.role, r.Wire, r.LeftOut); err != nil {
		return err
	}
	if tr.rerun != "" {
		_, err := fmt.Fprintf(w, "\nagain: %s %s\n", tr.rerun, r.Case.ID)
		return err
	}
	return nil
}
