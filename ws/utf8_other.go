//go:build !amd64 || purego

package ws

func utf8Long([]byte) (n int, ok bool) { return 0, true }
