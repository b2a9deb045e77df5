package main

import (
	"os"
	"strings"
	"testing"
)

// What README.md shows of a raw peer is what kit_test.go runs.
func TestReadmeShowsTheKit(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	kit, err := os.ReadFile("kit_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "```go\n\tconn, err")
	shown, _, found := strings.Cut("\tconn, err"+shown, "```")
	if !found || !strings.Contains(string(kit), shown) {
		t.Errorf("README.md shows other lines than kit_test.go has:\n%s", shown)
	}
}
