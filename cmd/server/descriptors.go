package main

// share divides the file descriptors that the process may have between
// connections that last (WebSockets, -max-conns) and those of HTTP (-max-http,
// each with perHTTP descriptors), and keeps some for the store, the log and what
// else a server opens. fits is false if that is less than was asked for. limit
// is 0 if there is none; conns and http are 0 if they have no bound.
func share(limit, conns, http, perHTTP int) (c, h int, fits bool) {
	if limit <= 0 {
		return conns, http, true
	}
	limit = max(limit-min(max(limit/8, 16), 128), 2)
	if conns > 0 && http > 0 && conns+http*perHTTP <= limit {
		return conns, http, true
	}
	// A third is for HTTP, and what the others do not need.
	h = limit / 3
	if conns > 0 {
		h = max(h, limit-conns)
	}
	h = max(h/perHTTP, 1)
	if http > 0 {
		h = min(h, http)
	}
	c = max(limit-h*perHTTP, 1)
	if conns > 0 {
		c = min(c, conns)
	}
	return c, h, (conns == 0 || c == conns) && (http == 0 || h == http)
}
