//go:build !unix

package wstest

import "os"

// lockFile does nothing here: two first runs at once may disturb each other.
func lockFile(*os.File, func()) error { return nil }
