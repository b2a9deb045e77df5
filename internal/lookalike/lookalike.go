// Package lookalike tells whether two names look alike to the eye: by the
// skeletons of Unicode Technical Standard #39 (§4), made from Unicode's own data,
// and by what that leaves to others: case, and letters in small capitals, in
// boxes, or crossed out.
//
// Accents count: é is not e. What looks alike in one fount only is not known.
package lookalike

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:generate go run gen.go

// Skeleton is what UTS #39 §4 makes of a text: two texts that look alike have
// the same.
func Skeleton(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if Ignorable(r) {
			continue
		}
		if i, ok := slices.BinarySearch(sources[:], r); ok {
			at := int(starts[i])
			b.WriteString(prototypes[at : at+int(sizes[i])])
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFD.String(b.String())
}

// A Key says what a name looks like. Two names look alike if a form of one is
// among the forms, or the guises, of the other; guises alone say nothing: that
// of Ali and that of Ail are the same.
type Key struct {
	forms  []string // as it stands, folded, in capitals
	guises []string // read as if capitals were small letters, and i were I
}

// Of makes the key of a name. A loose one takes no notice of spaces, hyphens
// and what else hardly counts in a name. The name's length must be bounded.
func Of(s string, loose bool) Key {
	whole := s
	if s = plain(s, loose); s == "" && loose { // of nothing but what hardly counts
		s = plain(whole, false)
	}
	if s == "" {
		return Key{}
	}
	folded := fold(s)
	asItStands, small := skeleton(s), skeleton(folded)
	return Key{
		forms:  compact(folded, asItStands, small, skeleton(strings.ToUpper(folded))),
		guises: compact(skeleton(fold(asItStands)), strings.ReplaceAll(small, "i", "l")),
	}
}

// Bare makes the key of a name's letters and digits alone, without accents: for
// names of which nobody is to have so much as an echo. One without letters and
// digits is alike to none.
func Bare(s string) Key {
	return Of(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Me) || !unicode.In(letterOf(r), unicode.L, unicode.N, unicode.Mc) {
			return -1
		}
		return r
	}, norm.NFKD.String(s)), true)
}

// Echoes makes the keys under which a name may be an echo of another: as Bare,
// without numbers around it (Admin2), and with signs read as the letters that
// people write them for (@dmin, 5erver).
func Echoes(s string) []Key {
	s = norm.NFKC.String(s)
	number := func(r rune) bool { return !unicode.IsLetter(letterOf(r)) }
	inner := strings.TrimRightFunc(s, number)
	return []Key{Bare(s), Bare(strings.TrimLeftFunc(inner, number)), Bare(strings.Map(func(r rune) rune {
		if l, ok := signs[r]; ok {
			return l
		}
		return r
	}, inner))}
}

var signs = map[rune]rune{'@': 'a', '4': 'a', '3': 'e', '€': 'e', '!': 'i', '¡': 'i', '5': 's', '$': 's', '7': 't', '+': 't'}

func compact(keys ...string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Alike reports whether the two look alike.
func (k Key) Alike(o Key) bool {
	return shares(k.forms, o.forms) || shares(k.forms, o.guises) || shares(k.guises, o.forms)
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// plain takes away what makes another text of the same letters: compatibility
// forms (wide, in circles, of mathematics), marks for which no letter exists
// that has them (a line through or below it, a box around it), styles of letters
// that are characters of their own. Digits that look like letters become them.
func plain(s string, loose bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			return r
		case unicode.Is(unicode.Inherited, r) && unicode.In(r, unicode.Mn, unicode.Me), loose && slight(r):
			return -1
		case r == '0':
			return 'o'
		case r == '1', r == '|':
			return 'l'
		}
		return letterOf(r)
	}, norm.NFKC.String(s))
}

// slight reports whether r hardly counts in a name.
func slight(r rune) bool {
	return unicode.In(r, unicode.Zs, unicode.Pd) || strings.ContainsRune("_'`´‘’‛′ʹʻʼʽˈ\"“”″.,·•", r)
}

// letterOf is the letter that is drawn small, in a filled circle or in a box.
func letterOf(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case r >= 0x1F150 && r <= 0x1F169:
		return 'a' + r - 0x1F150
	case r >= 0x1F170 && r <= 0x1F189:
		return 'a' + r - 0x1F170
	case r >= 0x1F1E6 && r <= 0x1F1FF: // of flags
		return 'a' + r - 0x1F1E6
	}
	if l, ok := smallCapitals[r]; ok {
		return l
	}
	return r
}

var smallCapitals = map[rune]rune{
	'ᴀ': 'a', 'ʙ': 'b', 'ᴄ': 'c', 'ᴅ': 'd', 'ᴇ': 'e', 'ꜰ': 'f', 'ɢ': 'g', 'ʜ': 'h', 'ɪ': 'i', 'ᴊ': 'j', 'ᴋ': 'k', 'ʟ': 'l', 'ᴌ': 'l',
	'ᴍ': 'm', 'ɴ': 'n', 'ᴏ': 'o', 'ᴘ': 'p', 'ꞯ': 'q', 'ʀ': 'r', 'ꜱ': 's', 'ᴛ': 't', 'ᴜ': 'u', 'ᴠ': 'v', 'ᴡ': 'w', 'ʏ': 'y', 'ᴢ': 'z',
}

// skeleton is Skeleton without strokes through letters, and with small capitals
// as what they are capitals of. What that changes is looked up once more.
func skeleton(s string) string {
	for range 2 {
		again := false
		s = strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf {
				return r
			}
			if unicode.In(r, unicode.Mn, unicode.Me) {
				if unicode.Is(unicode.Me, r) || r == 0x0329 || norm.NFD.PropertiesString(string(r)).CCC() == overlay {
					return -1 // U+0329 is how the data tells η from n
				}
				return r
			}
			l := letterOf(r)
			again = again || l != r
			return l
		}, Skeleton(s))
		if !again {
			break
		}
	}
	return strings.ReplaceAll(s, "vv", "w")
}

// overlay is the canonical combining class of what goes through a letter.
const overlay = 1

// fold makes the letters small.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && r != 'K' && r != 'k' && r != 'S' && r != 's' { // those have kin beyond ASCII
			return unicode.ToLower(r)
		}
		// The smallest rune of the orbit, in its small form: ſ, S and s fold to
		// one, and so do σ, ς and Σ.
		low := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			low = min(low, f)
		}
		return unicode.ToLower(low)
	}, s)
	return strings.ReplaceAll(s, "ß", "ss")
}

// alphabets are those whose letters look like one another's.
var alphabets = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Georgian, unicode.Coptic,
	unicode.Cherokee, unicode.Lisu, unicode.Deseret, unicode.Glagolitic, unicode.Vai, unicode.Osage, unicode.Carian, unicode.Lycian, unicode.Old_Italic}

// Mixed reports whether a word has letters of more than one alphabet: less than
// the restriction levels of UTS #39 §5.2 ask, which know no words; Latin beside
// Han, or a word of each alphabet, is good.
func Mixed(s string) bool {
	in := -1
	for _, r := range norm.NFKC.String(s) {
		if !unicode.In(r, unicode.L, unicode.M) {
			in = -1
			continue
		}
		for i, t := range alphabets {
			if !unicode.Is(t, r) {
				continue
			}
			if in >= 0 && in != i {
				return true
			}
			in = i
		}
	}
	return false
}
