package lab

import (
	"encoding/hex"
	"net/http"

	"framewright/lab/capture"
	"framewright/ws"
)

// A builtFrame is what the workshop shows of a frame while it is built: its bytes, and
// how the echo would read them, were it the first frame of a connection.
type builtFrame struct {
	Bytes  string      `json:"bytes"`
	Header int         `json:"header"` // bytes of it
	Fact   *momentFact `json:"fact"`
	Notes  []string    `json:"notes"`
}

func postBuild(_ *http.Request, body []byte) (any, error) {
	var p struct {
		Frame   FrameSpec `json:"frame"`
		Deflate bool      `json:"deflate"`
	}
	if err := unmarshal(body, &p); err != nil {
		return nil, err
	}
	header, payload, err := p.Frame.Bytes()
	if err != nil {
		return nil, err
	}
	out := builtFrame{Header: len(header)}
	all := append(header, payload...)
	out.Bytes = hex.EncodeToString(all)
	if len(all) > 2*decodePayload {
		out.Bytes = out.Bytes[:4*decodePayload] + "…"
	}
	s := &capture.Stream{Pieces: []capture.Piece{{FromClient: true, Data: all}}, Rebuilt: "a frame that nobody has sent yet"}
	d := decodeWith(s, ws.RoleServer, p.Deflate)
	out.Notes = d.Notes[1:] // not that it is rebuilt
	if f := facts(d.Moment, true); len(f) > 0 {
		out.Fact = &f[0]
	}
	return out, nil
}

// A workshopDialogue is what the workshop shows of what was sent.
type workshopDialogue struct {
	Facts   []momentFact `json:"facts"`
	Outcome string       `json:"outcome"`
	Closed  bool         `json:"closed"`
	End     string       `json:"end,omitempty"`
}

func postWorkshop(r *http.Request, body []byte) (any, error) {
	var p WorkshopPlan
	if err := unmarshal(body, &p); err != nil {
		return nil, err
	}
	x, err := p.Experiment()
	if err != nil {
		return nil, err
	}
	d, err := x.Run(r.Context())
	if err != nil {
		return nil, err
	}
	return shownDialogue(d), nil
}
