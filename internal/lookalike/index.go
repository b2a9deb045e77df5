package lookalike

import (
	"iter"
	"slices"
)

// An Index finds what has a name that looks like another. The zero value is
// empty.
type Index[T comparable] struct {
	forms, guises map[string][]T
}

// Len is how many texts the index keeps.
func (x *Index[T]) Len() int { return len(x.forms) + len(x.guises) }

// Add puts v under a key.
func (x *Index[T]) Add(k Key, v T) {
	if x.forms == nil {
		x.forms, x.guises = make(map[string][]T), make(map[string][]T)
	}
	for _, f := range k.forms {
		x.forms[f] = append(x.forms[f], v)
	}
	for _, g := range k.guises {
		x.guises[g] = append(x.guises[g], v)
	}
}

// Remove takes v away from where Add put it.
func (x *Index[T]) Remove(k Key, v T) {
	remove := func(m map[string][]T, key string) {
		list := m[key]
		i := slices.Index(list, v)
		switch {
		case i < 0:
		case len(list) == 1:
			delete(m, key)
		default:
			m[key] = slices.Delete(list, i, i+1)
		}
	}
	for _, f := range k.forms {
		remove(x.forms, f)
	}
	for _, g := range k.guises {
		remove(x.guises, g)
	}
}

// Alike gives all that look like k; some may come more than once.
func (x *Index[T]) Alike(k Key) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, f := range k.forms {
			for _, m := range []map[string][]T{x.forms, x.guises} {
				for _, v := range m[f] {
					if !yield(v) {
						return
					}
				}
			}
		}
		for _, g := range k.guises {
			for _, v := range x.forms[g] {
				if !yield(v) {
					return
				}
			}
		}
	}
}
