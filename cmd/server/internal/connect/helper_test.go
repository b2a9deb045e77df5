package connect

import (
	"encoding/base64"
	"io"
	"log"
	"net/http"
	"strings"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// parseProxyAuth reads what a client tells a proxy of itself.
func parseProxyAuth(r *http.Request) (user, password string, ok bool) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic "))
	user, password, ok = strings.Cut(string(b), ":")
	return user, password, ok && err == nil
}
