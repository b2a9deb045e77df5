package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// A bill is a software bill of materials: what a program is made of, in CycloneDX 1.6
// (ECMA-424), as much of it as a Go program needs. Its time is left out, and its serial
// number is made from what it describes, so that it is the same whenever it is made.
type bill struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

// A component is the program, a module that is linked into it, or Go's standard library.
type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Package    string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A dependency says what a component needs. Only the program's are known here: the go
// command links what all of it needs together.
type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

// billOf reads from a program what the go command has linked into it.
func billOf(path, program, version string) ([]byte, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	self := component{
		Type: "application", Ref: packageURL(info.Main.Path, version), Name: program, Version: version,
		Package: packageURL(info.Main.Path, version),
		Hashes:  []hash{{"SHA-256", fmt.Sprintf("%x", sum)}},
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-trimpath":
			self.Properties = append(self.Properties, property{"go:build:" + strings.TrimPrefix(s.Key, "-"), s.Value})
		}
	}
	standard := strings.TrimPrefix(info.GoVersion, "go")
	all := []component{{Type: "library", Ref: packageURL("std", standard), Name: "std", Version: standard, Package: packageURL("std", standard)}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component{Type: "library", Ref: packageURL(m.Path, m.Version), Name: m.Path, Version: m.Version, Package: packageURL(m.Path, m.Version)}
		if m.Sum != "" { // of the module's files, as go.sum has it: no hash of one file
			c.Properties = []property{{"go:sum", m.Sum}}
		}
		all = append(all, c)
	}
	needs := dependency{Ref: self.Ref}
	dependencies := []dependency{needs}
	for _, c := range all {
		dependencies[0].On = append(dependencies[0].On, c.Ref)
		dependencies = append(dependencies, dependency{Ref: c.Ref})
	}
	out, err := json.MarshalIndent(bill{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Version: 1, Serial: serial(sum),
		Metadata: metadata{self}, Components: all, Dependencies: dependencies,
	}, "", "  ")
	return append(out, '\n'), err
}

// packageURL is a module's name for those who look for its known faults.
func packageURL(module, version string) string {
	return "pkg:golang/" + module + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// serial is a UUID (version 8, RFC 9562 §5.8) made from a hash.
func serial(sum [sha256.Size]byte) string {
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
