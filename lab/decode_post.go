package lab

import (
	"fmt"
	"net/http"

	"framewright/lab/capture"
	"framewright/ws"
)

// A decodedPage is what the decoder's page shows.
type decodedPage struct {
	Format  capture.Format  `json:"format"`
	Notes   []string        `json:"notes"`
	Streams []decodedStream `json:"streams"`
}

type decodedStream struct {
	Name  string       `json:"name"`
	Notes []string     `json:"notes"`
	Facts []momentFact `json:"facts"`
}

// postDecode decodes a body, which is a capture, as ?role=server or client sees it.
func postDecode(r *http.Request, body []byte) (any, error) {
	var role ws.Role
	switch name := r.URL.Query().Get("role"); name {
	case "server":
		role = ws.RoleServer
	case "client":
		role = ws.RoleClient
	default:
		return nil, fmt.Errorf("the role is %.30q: \"server\" or \"client\" is expected", name)
	}
	d, err := Decode(body, role, capture.Limits{Input: maxCapture})
	if err != nil {
		return nil, err
	}
	page := decodedPage{Format: d.Format, Notes: d.Notes}
	for _, s := range d.Streams {
		page.Streams = append(page.Streams, decodedStream{s.Name, s.Notes, facts(s.Moment, true)})
	}
	return page, nil
}
