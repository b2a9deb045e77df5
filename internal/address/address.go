// Package address takes network addresses apart.
package address

import "net"

// Host returns a network's address without its port, which is what connections are
// counted by; or the address itself and false, if it has none.
func Host(address string) (host string, ok bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address, false
	}
	return host, true
}
