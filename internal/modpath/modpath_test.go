package modpath

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, good := range []string{
		"framewright", "example.org/you/framewright", "example.org/you/framewright/v2", "example.org/framewright.go",
		"github.com/You/Frame-Wright_1~x", "gopkg.in/framewright.v0", "gopkg.in/you/framewright.v3", "example.org/vvv",
		"localhost.localdomain/x/v10",
	} {
		if err := Check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, tt := range []struct{ path, want string }{
		{"", "it is empty"},
		{"/example.org/x", "an element is empty"},
		{"example.org/x/", "an element is empty"},
		{"example.org//x", "an element is empty"},
		{"https://example.org/x", `has the character ':'`},
		{"example.org/y o u", `has the character ' '`},
		{"example.org/über", `has the character 'ü'`},
		{"example.org/a@v1", `has the character '@'`},
		{`example.org\x`, `has the character '\\'`},
		{"example.org/../x", "begins or ends with a dot"},
		{"example.org/.x", "begins or ends with a dot"},
		{"example.org/x.", "begins or ends with a dot"},
		{"example.org/NUL.x/y", "a device's name"},
		{"example.org/framew~1", "tilde and digits"},
		{"Example.org/x", "expected a host in lower case"},
		{"example_org.de/x", "expected a host in lower case"},
		{"-example.org/x", "begins with a dash"},
		{"net/framewright", "Go's own packages"},
		{"cmd", "Go's own packages"},
		{"example.org/x/v0", "a major version is /v2 or more"},
		{"example.org/x/v1", "a major version is /v2 or more"},
		{"example.org/x/v02", "a major version is /v2 or more"},
		{"example.org/x/v2.1", "a major version is /v2 or more"},
		{"gopkg.in/framewright", "has no major version"},
		{"gopkg.in/framewright.v01", "has no major version"},
	} {
		if err := Check(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v; want %q in it", tt.path, err, tt.want)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	for path, want := range map[string]string{
		"framewright": "v0.0.0", "example.org/x": "v0.0.0", "example.org/x/v2": "v2.0.0", "example.org/x/v12": "v12.0.0",
		"gopkg.in/x.v1": "v1.0.0", "gopkg.in/x.v3": "v3.0.0", "example.org/vvv": "v0.0.0", "v2": "v0.0.0",
	} {
		if got := Placeholder(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
