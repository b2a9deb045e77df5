// Package user has a test of what only a user of package sample does.
package user

import (
	"testing"

	"framewright/internal/mutate/testdata/sample"
)

func TestDouble(t *testing.T) {
	if n, err := sample.Double(2); n != 4 || err != nil {
		t.Errorf("Double(2) = %d, %v", n, err)
	}
	if _, err := sample.Double(-1); err == nil {
		t.Error("Double(-1) is no error")
	}
}
