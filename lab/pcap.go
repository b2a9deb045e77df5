package lab

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"framewright/lab/capture"
	"framewright/lab/fact"
)

// pcap is what a page sees of a connection as a file for Wireshark: of the one with the
// number conn, or of the last that began. Of a payload only what a fact has is known, its
// first ws.TracePayload bytes; zeros stand for the rest.
func (l *Lab) pcap(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("secret")
	watch, ok := l.recorder.find(secret)
	if !goodSecret.MatchString(secret) || !ok {
		http.Error(w, "no page watches with this secret", http.StatusNotFound)
		return
	}
	var conn uint64
	if s := r.URL.Query().Get("conn"); s != "" {
		var err error
		if conn, err = strconv.ParseUint(s, 10, 64); err != nil || conn == 0 {
			http.Error(w, "conn: want the number of a connection", http.StatusBadRequest)
			return
		}
	}
	var all []fact.Fact
	kept, _, _ := watch.after(0)
	for _, b := range kept {
		var f fact.Fact
		if err := json.Unmarshal(b, &f); err != nil {
			panic(err) // the recorder wrote it
		}
		if f.Kind == fact.Handshake && !f.Sent && r.URL.Query().Get("conn") == "" {
			conn = f.Conn
		}
		all = append(all, f)
	}
	var pieces []capture.Piece
	size := 0
	for _, f := range all {
		if f.Conn != conn {
			continue
		}
		b := onTheWire(f, maxPcap-size)
		if size += len(b); len(b) > 0 {
			pieces = append(pieces, capture.Piece{FromClient: !f.Sent, At: time.Duration(f.Ms * float64(time.Millisecond)), Data: b})
		}
	}
	if len(pieces) == 0 {
		http.Error(w, "there is no connection yet", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.tcpdump.pcap")
	w.Header().Set("Content-Disposition", `attachment; filename="wire.pcap"`)
	w.Write(capture.AppendPcap(nil, pieces, watch.began))
}

// maxPcap is about how long a file becomes, in bytes: there are more zeros than memory
// for them.
const maxPcap = 8 << 20

// onTheWire is what a fact was on the wire, with at most so many zeros in it.
func onTheWire(f fact.Fact, zeros int) []byte {
	switch f.Kind {
	case fact.Handshake:
		return []byte(f.Head)
	case fact.Frame:
	default:
		return nil
	}
	b, _ := hex.DecodeString(f.Wire)
	payload := f.Payload
	for _, r := range f.Rows {
		if r.Kind == "masked" {
			payload = r.Bytes
		}
	}
	p, _ := hex.DecodeString(payload)
	return append(append(b, p...), make([]byte, max(min(f.Length-int64(len(p)), int64(zeros)), 0))...)
}
