package engineio

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"strconv"
	"strings"
)

// zippers are what compresses answers. They are large, near a megabyte each, so there are
// few, and an answer that finds none free goes out as it is.
var zippers = make(chan *gzip.Writer, 2*runtime.GOMAXPROCS(0))

func init() {
	for range cap(zippers) {
		zippers <- nil // made when it is first needed
	}
}

// zip compresses an answer if the client takes that (RFC 9110 §12.5.3), it is longer than
// Options.CompressOver, and becomes shorter.
func (s *Socket) zip(w http.ResponseWriter, r *http.Request, body []byte) []byte {
	if over := s.server.o.CompressOver; over < 0 || len(body) <= over {
		return body
	}
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if !takesGzip(r.Header["Accept-Encoding"]) {
		return body
	}
	var z *gzip.Writer
	select {
	case z = <-zippers:
	default:
		return body
	}
	defer func() { zippers <- z }()
	out := bytes.NewBuffer(make([]byte, 0, len(body)/2))
	if z == nil {
		z, _ = gzip.NewWriterLevel(out, gzip.BestSpeed) // a level that there is
	} else {
		z.Reset(out)
	}
	z.Write(body) // to memory
	z.Close()
	if out.Len() >= len(body) {
		return body
	}
	h.Set("Content-Encoding", "gzip")
	return out.Bytes()
}

// takesGzip reads Accept-Encoding: gzip is named, or *, with a weight that is not 0.
func takesGzip(fields []string) bool {
	any := false
	for _, f := range fields {
		for part := range strings.SplitSeq(f, ",") {
			name, parameters, _ := strings.Cut(part, ";")
			_, weight, _ := strings.Cut(strings.ReplaceAll(parameters, " ", ""), "q=")
			q, err := strconv.ParseFloat(weight, 64)
			takes := err != nil || q > 0
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return takes
			case "*":
				any = takes
			}
		}
	}
	return any
}
