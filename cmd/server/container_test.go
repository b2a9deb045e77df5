package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// containerfile is the file as pairs of an instruction and what stands behind it.
func containerfile(t *testing.T) (all [][2]string) {
	t.Helper()
	data, err := os.ReadFile("Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(data), "\\\n", " ")) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		all = append(all, [2]string{name, strings.TrimSpace(rest)})
	}
	return all
}

// instruction is what stands behind the one instruction of this name.
func instruction(t *testing.T, name string) string {
	t.Helper()
	var found []string
	for _, i := range containerfile(t) {
		if i[0] == name {
			found = append(found, i[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d instructions %s, want one", len(found), name)
	}
	return found[0]
}

// TestContainerfile holds what can be known of it without an engine.
func TestContainerfile(t *testing.T) {
	made := map[string]bool{} // in the stage that builds
	var last string
	for _, i := range containerfile(t) {
		switch words := strings.Fields(i[1]); i[0] {
		case "FROM":
			last = words[0]
		case "RUN":
			for _, w := range words {
				made[w] = true
			}
			if strings.Contains(i[1], "go build") {
				wantBuild(t, i[1])
			}
		case "COPY":
			from := slices.DeleteFunc(words[:len(words)-1], func(w string) bool { return strings.HasPrefix(w, "--") })
			for _, name := range from {
				if strings.Contains(i[1], "--from=build") {
					if !made[name] {
						t.Errorf("COPY %s: nothing makes %s", i[1], name)
					}
				} else if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
					t.Errorf("COPY %s: %v", i[1], err)
				}
			}
		case "ENV":
			name, value, _ := strings.Cut(i[1], "=")
			set := &settings{}
			set.declare()
			if err := set.apply(set.flags, []string{name + "=" + value}); err != nil || len(set.warn) > 0 {
				t.Errorf("ENV %s: %v %v", i[1], err, set.warn)
			}
		}
	}
	if last != "scratch" {
		t.Errorf("the image is made from %q, want scratch", last)
	}
	if user := instruction(t, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("USER %s: want numbers, for there is no /etc/passwd, and not root's", user)
	}
	if volume := command(t, "VOLUME", instruction(t, "VOLUME")); volume[0] != variable(t, "FRAMEWRIGHT_DATA") {
		t.Errorf("the volume is %q, and the history goes elsewhere", volume)
	}
	if port := instruction(t, "EXPOSE"); variable(t, "FRAMEWRIGHT_ADDR") != ":"+port {
		t.Errorf("port %s is exposed, and another listened on", port)
	}
	for _, name := range []string{"docker build", "docker run"} {
		if readme, err := os.ReadFile("README.md"); err != nil || !strings.Contains(string(readme), "    "+name+" ") {
			t.Errorf("README.md does not say %s: %v", name, err)
		}
	}
}

// wantBuild looks at the line that builds the program: it has to be static, and to say
// which version it is.
func wantBuild(t *testing.T, line string) {
	t.Helper()
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", "-X main.released=$VERSION", " ./cmd/server"} {
		if !strings.Contains(line, want) {
			t.Errorf("RUN %s: want %q in it", line, want)
		}
	}
}

// command is an instruction's command in its JSON form: there is no shell.
func command(t *testing.T, name, text string) (words []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &words); err != nil || len(words) == 0 {
		t.Fatalf("%s %s: want a list in JSON: %v", name, text, err)
	}
	return words
}

// variable is what the image says for a setting.
func variable(t *testing.T, name string) string {
	t.Helper()
	for _, i := range containerfile(t) {
		if value, ok := strings.CutPrefix(i[1], name+"="); ok && i[0] == "ENV" {
			return value
		}
	}
	t.Fatalf("there is no ENV %s", name)
	return ""
}
