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
