package lookalike

import "unicode"

// Ignorable reports whether r has the property Default_Ignorable_Code_Point: it
// is drawn as nothing, and is not a space (UAX #44; derived as
// DerivedCoreProperties.txt says).
func Ignorable(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return true
	case !unicode.Is(unicode.Cf, r):
		return false
	}
	return !(unicode.Is(unicode.White_Space, r) || r >= 0xFFF9 && r <= 0xFFFB || // annotations
		r >= 0x13430 && r <= 0x13440 || // of Egyptian hieroglyphs
		unicode.Is(unicode.Prepended_Concatenation_Mark, r))
}

// Invisible reports whether nothing is drawn of r: what is ignorable, and what
// is a letter or a symbol by its category and a blank by its picture. Spaces and
// controls are others'.
func Invisible(r rune) bool {
	switch r {
	case 0x2800, // Braille, no dots
		0xFFFC,           // stands for an object that is not there
		0x16FE4,          // Khitan filler
		0x13441, 0x13442, // Egyptian blanks
		0x1D159: // a note's head that is none
		return true
	}
	return Ignorable(r)
}
