//go:build race

package wsspec

func init() { raced = true }
