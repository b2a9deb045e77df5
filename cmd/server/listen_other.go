//go:build !unix

package main

import (
	"errors"
	"net"
)

func strictly(f func() error) error { return f() }

func inheritedListener(int, string) (net.Listener, error) {
	return nil, errors.New("sockets of another process are not available on this system")
}
