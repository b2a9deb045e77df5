package wstest

import (
	"encoding/json"
	"fmt"
	"slices"
)

// A shard is the part of the cases that one suite process runs.
type shard struct {
	number int // from 1
	ids    []string
	whole  bool // the shards together are the whole suite
}

// cost is roughly how long a case takes, in milliseconds, with a testee of
// usual speed. It only serves to give the shards equal work.
func cost(id string) int {
	switch group(id) {
	case "12", "13":
		return 2700 // a thousand messages, once compression is negotiated
	case "9":
		return 400
	case "2", "5":
		return 500 // the suite closes after a second
	case "6":
		if matchCase("6.4.*", id) {
			return 2000 // two pauses of a second
		}
	}
	return 30
}

// split deals the cases into at most n shards of about equal cost: the dearest
// first, each to the shard that has least.
func split(ids []string, n int) []shard {
	n = max(1, min(n, len(ids)))
	shards := make([]shard, n)
	sums := make([]int, n)
	for i := range shards {
		shards[i] = shard{number: i + 1, whole: len(ids) == len(allCases())}
	}
	byCost := slices.Clone(ids)
	slices.SortStableFunc(byCost, func(a, b string) int { return cost(b) - cost(a) })
	for _, id := range byCost {
		least := slices.Index(sums, slices.Min(sums))
		shards[least].ids = append(shards[least].ids, id)
		sums[least] += cost(id)
	}
	for i := range shards {
		slices.SortFunc(shards[i].ids, compareIDs)
	}
	return shards
}

// A spec is the JSON file wstest reads, for either of its two modes.
type spec struct {
	OutDir       string              `json:"outdir"`
	URL          string              `json:"url,omitempty"`     // fuzzingserver: where to listen
	Servers      []specServer        `json:"servers,omitempty"` // fuzzingclient: whom to test
	Cases        []string            `json:"cases"`
	Exclude      []string            `json:"exclude-cases"`
	ExcludeAgent map[string][]string `json:"exclude-agent-cases"`
	Options      map[string]any      `json:"options"`
}

type specServer struct {
	Agent string `json:"agent"`
	URL   string `json:"url"`
}

// chosen fills in the cases of a shard.
//
// When the whole suite runs, a shard asks for "everything but the others'
// cases", so that a case this command has never heard of runs too and shows as
// a difference. Otherwise it names its cases one by one: wstest anchors its
// patterns at the start only, where 9.1* would also mean 9.10.
func (s *spec) chosen(sh shard) {
	s.Cases, s.Exclude = sh.ids, []string{}
	if sh.whole {
		s.Cases = []string{"*"}
		for _, id := range allCases() {
			if !slices.Contains(sh.ids, id) {
				s.Exclude = append(s.Exclude, id)
			}
		}
	}
	s.ExcludeAgent, s.Options = map[string][]string{}, map[string]any{}
}

// clientSpec is the spec for testing a server at url.
func clientSpec(sh shard, outDir, agent, url string) ([]byte, error) {
	s := spec{OutDir: outDir, Servers: []specServer{{Agent: agent, URL: url}}}
	s.chosen(sh)
	return json.MarshalIndent(s, "", "  ")
}

// serverSpec is the spec for testing clients that come to a port.
func serverSpec(sh shard, outDir string, port int) ([]byte, error) {
	s := spec{OutDir: outDir, URL: fmt.Sprintf("ws://127.0.0.1:%d", port)}
	s.chosen(sh)
	return json.MarshalIndent(s, "", "  ")
}
