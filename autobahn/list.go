package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"framewright/autobahn/wsspec"
)

// list writes what there is to know of cases before they are played.
func list(w io.Writer, cases []*wsspec.Case) {
	for _, c := range cases {
		fmt.Fprintf(w, "%-34s %-6s %-13s %-18s %s\n", c.ID, c.Level, rolesOf(c), c.Section, c.Title)
	}
	fmt.Fprintf(w, "%d cases\n", len(cases))
}

func rolesOf(c *wsspec.Case) string {
	var roles []string
	for _, r := range []wsspec.Role{wsspec.Server, wsspec.Client} {
		if c.Roles.Has(r) {
			roles = append(roles, string(r))
		}
	}
	return strings.Join(roles, ",")
}

// listJSON is list for machines.
func listJSON(w io.Writer, cases []*wsspec.Case) error {
	type entry struct {
		ID      string       `json:"id"`
		Chapter string       `json:"chapter"`
		Section string       `json:"section,omitempty"`
		Level   wsspec.Level `json:"level"`
		Roles   string       `json:"roles"`
		Tags    []string     `json:"tags,omitempty"`
		Title   string       `json:"title"`
		Clause  string       `json:"clause,omitempty"`
	}
	all := []entry{}
	for _, c := range cases {
		all = append(all, entry{c.ID, c.Chapter, c.Section, c.Level, rolesOf(c), c.Tags, c.Title, c.Clause})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(all)
}
