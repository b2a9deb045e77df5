package chat

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// nameKeys are what a name must not share with somebody else's: a fold of its
// letters as they are, one of how they look, and one of how their small forms
// look. The idea is the skeleton of Unicode Technical Standard #39; the tables
// are small and made by hand. They cover
//
//   - case, width, ligatures, and letters of mathematics and the like, by
//     Unicode's own folding and compatibility forms (NFKD);
//   - letters of the Greek, Cyrillic and Armenian scripts and of the Latin
//     extensions that look like letters of basic Latin, or of one another;
//   - digits that look like letters (0 and o, 1 and l), and rn and vv;
//   - spaces, apostrophes, hyphens and their kin, which do not count.
//
// They do not cover what looks alike within other scripts (Arabic, Indic, Han)
// or across those. Accents count: é is not e.
func nameKeys(name string) []string {
	name = norm.NFKD.String(name)
	keys := []string{
		fold(name),
		merge(fold(look(name))),
		merge(look(fold(name))),
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// fold makes the letters small, and leaves out what is hardly seen.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Zs, unicode.Variation_Selector, unicode.Pd), strings.ContainsRune(quotes, r), r == '_':
			return -1
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

const quotes = "'`´‘’‛′ʹʻʼʽˈ\"“”″.,·•"

// look replaces letters by those of basic Latin that they look like.
func look(s string) string {
	return strings.Map(func(r rune) rune {
		if l, ok := looksLike[r]; ok {
			return l
		}
		return r
	}, s)
}

// merge makes one of two letters that look like one.
var merge = strings.NewReplacer("rn", "m", "vv", "w").Replace

// looksLike is made from pairs: a letter of basic Latin (or another that others
// look like), and those that look like it.
var looksLike = func() map[rune]rune {
	m := make(map[rune]rune)
	for _, set := range []string{
		// capital letters: Greek, Cyrillic, Armenian, Cherokee's best known
		"AΑАᎪ", "BΒВᏴ", "CСϹᏟ", "DᎠ", "EΕЕᎬ", "FϜ", "GԌᏀ", "HΗНᎻ", "JЈͿᎫ", "KΚКᏦ", "LᏞ", "MΜМᎷ", "NΝ",
		"OΟОՕ", "PΡРᏢ", "QԚ", "SЅՏᏚ", "TΤТᎢ", "UՍ", "VѴᏙ", "WԜᎳ", "XΧХ", "YΥҮᎽ", "ZΖᏃ",
		// small letters
		"aаαɑ", "bЬьƄ", "cсϲ", "dԁ", "eеҽ", "gɡցƍ", "hһհ", "iіιıɩӏ", "jјϳ", "kκк", "nոηп", "oоοօσѳ", "pрρ", "qԛզ",
		"rг", "sѕ", "tт", "uυսʋ", "vνѵ", "wԝѡաɯ", "xхχ×", "yуүγʏ", "zᴢ", "fք",
		// what is told from an l by the font only, digits among them
		"lI1|ІΙӀІⅼ∣ǀƖ", "o0O",
		// letters with a stroke, which the eye takes for a speck
		"dđ", "hħ", "lłƚ", "oø", "tŧ",
		// among themselves
		"вʙ", "нʜ", "мᴍ",
	} {
		rs := []rune(set)
		for _, r := range rs[1:] {
			m[r] = rs[0]
		}
	}
	delete(m, 'I') // set below: I is an l here, and its capital look-alikes are, too
	for _, r := range "IІΙӀ" {
		m[r] = 'l'
	}
	// What looks like a letter that itself looks like another.
	for r, l := range m {
		if next, ok := m[l]; ok {
			m[r] = next
		}
	}
	return m
}()
