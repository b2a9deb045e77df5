// Package cli is what the command's two engines do alike with their arguments.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// Parse parses all arguments as flags. The help, which goes to stderr as what is wrong
// does, begins with head.
func Parse(fs *flag.FlagSet, args []string, head string, stderr io.Writer) error {
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, head)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see -h", fs.Arg(0))
	}
	return nil
}

// Status is the exit status of a run that came to code, or could not be: then it is 2,
// and says why.
func Status(code int, err error, stderr io.Writer) int {
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "autobahn:", err)
		return 2
	}
	return code
}
