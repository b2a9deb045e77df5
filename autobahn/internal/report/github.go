package report

import (
	"fmt"
	"io"
	"strings"
)

// maxAnnotations is how many failures become annotations of their own: a hosted CI
// shows no more than some.
const maxAnnotations = 30

// WriteAnnotations writes the failures as workflow commands of GitHub Actions.
func WriteAnnotations(w io.Writer, reports []*Report) error {
	n := 0
	for _, r := range reports {
		for _, c := range r.Cases {
			if c.OK {
				continue
			}
			if n++; n > maxAnnotations {
				continue
			}
			if _, err := fmt.Fprintf(w, "::error title=%s::%s\n",
				property.Replace(fmt.Sprintf("%s (%s): %s", c.ID, r.Role, c.Title)),
				message.Replace(r.story(withoutWire(c)))); err != nil {
				return err
			}
		}
	}
	if more := n - maxAnnotations; more > 0 {
		_, err := fmt.Fprintf(w, "::error title=wsspec::%d more failures; the report has them\n", more)
		return err
	}
	return nil
}

func withoutWire(c Case) Case {
	c.Wire = nil
	return c
}

// message and property escape as the commands want it.
var (
	message  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
