package main

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The client of Socket.IO as one file has each of its modules once, behind what
// it needs, and nothing that only a module may have.
func TestSocketScriptIsWhole(t *testing.T) {
	files := make(map[string][]byte)
	var all []string
	entries, err := fs.ReadDir(web, "web/socketio-client")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := web.ReadFile("web/socketio-client/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files["/socketio-client/"+e.Name()] = data
		all = append(all, strings.TrimSuffix(e.Name(), ".js"))
	}
	listed := slices.Sorted(slices.Values(socketParts))
	if !slices.Equal(listed, all) {
		t.Errorf("the parts are %q, the modules %q", listed, all)
	}
	declared := make(map[string]string)
	for i, part := range socketParts {
		source := files["/socketio-client/"+part+".js"]
		for _, m := range imported.FindAllSubmatch(source, -1) {
			if name := strings.TrimSuffix(path.Base(string(m[1])), ".js"); !slices.Contains(socketParts[:i], name) {
				t.Errorf("%s imports %s, which does not stand before it", part, name)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^(?:export )?(?:async )?(?:const|let|var|class|function\*?) (\w+)`).FindAllSubmatch(source, -1) {
			if before := declared[string(m[1])]; before != "" {
				t.Errorf("%s and %s both declare %s", before, part, m[1])
			}
			declared[string(m[1])] = part
		}
	}
	joined := joinModules(files, socketParts)
	if at := regexp.MustCompile(`(?m)^(import|export)\b.*`).Find(joined); at != nil {
		t.Errorf("joined, there still is: %s", at)
	}
	for _, name := range []string{"io", "Manager", "Socket", "protocol"} {
		if declared[name] == "" {
			t.Errorf("nothing declares %s", name)
		}
	}
	if script := string(asScript(joined)); strings.Count(script, "'use strict';") != 1 || !strings.HasSuffix(script, "})();\n") {
		t.Error("the script is not one function")
	}
}
