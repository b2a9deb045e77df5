package testees

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
)

// mixed returns testees that each have the faults of three of those at once, drawn by a
// fixed seed: nobody has chosen what they do.
func mixed(n int, of []Testee) []Testee {
	var single []Testee
	for _, t := range of {
		// With these hardly any other fault shows.
		if !strings.HasPrefix(t.Name, "greet-") && t.Name != "silent" && t.Name != "end-open" && t.Accept == "" && t.Answer == "" {
			single = append(single, t)
		}
	}
	r := rand.New(rand.NewPCG(6455, 7692))
	var all []Testee
	for i := range n {
		m := Testee{Name: fmt.Sprintf("mixed-%d", i+1)}
		var names []string
		for _, j := range r.Perm(len(single))[:3] {
			t := single[j]
			if t.Only != "" && m.Only != "" && t.Only != m.Only {
				continue
			}
			names = append(names, t.Name)
			m.Only += t.Only
			if len(m.Only) > len("server") { // the same twice
				m.Only = t.Only
			}
			merge(&m.Faults, t.Faults)
		}
		m.What = strings.Join(names, " and ")
		all = append(all, m)
	}
	return all
}

// merge sets what is set in b.
func merge(a *Faults, b Faults) {
	to, from := reflect.ValueOf(a).Elem(), reflect.ValueOf(b)
	for i := range to.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}
