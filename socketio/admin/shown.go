package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"framewright/socketio"
)

// shownSocket is what a page is shown of a socket.
type shownSocket struct {
	ID        string    `json:"id"`
	Client    string    `json:"clientId"`
	Transport string    `json:"transport"`
	Namespace string    `json:"nsp"`
	Data      any       `json:"data"`
	Handshake handshake `json:"handshake"`
	Rooms     []string  `json:"rooms"`
}

type handshake struct {
	Address string            `json:"address"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Issued  int64             `json:"issued"` // in milliseconds
	Time    string            `json:"time"`
	Secure  bool              `json:"secure"`
	Foreign bool              `json:"xdomain"`
	URL     string            `json:"url"`
}

// leastPacket is the least MaxPacket: what is shown of one socket fits into it.
const leastPacket = 8 << 10

// A described is a socket with its rooms at one moment.
type described struct {
	socket *socketio.Socket
	rooms  []string
}

// show is d as JSON, shortened to fit into a packet.
func (p *panel) show(d described) json.RawMessage {
	s := d.socket
	shown := shownSocket{
		ID: s.ID(), Client: s.Session(), Transport: s.Transport(), Namespace: s.Namespace().Name(), Data: struct{}{},
		Handshake: p.handshake(s), Rooms: d.rooms,
	}
	if p.o.Data != nil {
		if data := p.o.Data(s.Context(), s); data != nil {
			shown.Data = data
		}
	}
	if text, err := json.Marshal(shown); err == nil && len(text) <= leastPacket {
		return text
	}
	shown.Data = struct{}{}
	shown.Handshake.Headers, shown.Handshake.Query = map[string]string{}, map[string]string{}
	size := 0
	for i, r := range d.rooms { // its own is the first
		if size += len(r); size > leastPacket/4 {
			shown.Rooms = d.rooms[:i]
			break
		}
	}
	text, err := json.Marshal(shown)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}

func (p *panel) handshake(s *socketio.Socket) handshake {
	r, since := s.Request(), s.Since().UTC()
	h := handshake{
		Address: p.o.Address(s.Context(), s), Headers: headers(r.Header), Query: make(map[string]string),
		Issued: since.UnixMilli(), Time: since.Format(http.TimeFormat), Secure: r.TLS != nil,
		Foreign: r.Header.Get("Origin") != "", URL: clip(r.URL.RequestURI()),
	}
	for k, v := range r.URL.Query() {
		h.Query[clip(k)] = clip(strings.Join(v, ", "))
	}
	return h
}

// secrets are headers by which a client proves who it is.
var secrets = []string{"Authorization", "Cookie", "Proxy-Authorization"}

const hidden = "(not shown)"

// headers are the first of h, by name.
func headers(h http.Header) map[string]string {
	const most = 40
	m := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(h))[:min(most, len(h))] {
		value := clip(strings.Join(h[name], ", "))
		if slices.Contains(secrets, name) {
			value = hidden
		}
		m[clip(strings.ToLower(name))] = value
	}
	return m
}

// clip shortens a text to what a person reads.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// maxEvent is up to how many bytes of JSON an event is shown whole.
const maxEvent = 4 << 10

// showEvent is what a page is shown of an event: an array, too.
func showEvent(e socketio.Event) any {
	if len(e.JSON) <= maxEvent {
		return json.RawMessage(e.JSON)
	}
	var name string
	d := json.NewDecoder(bytes.NewReader(e.JSON))
	if _, err := d.Token(); err != nil || d.Decode(&name) != nil {
		name = "?" // it is an array that begins with a name
	}
	return []any{clip(name), fmt.Sprintf("%d bytes, more than are shown", len(e.JSON))}
}

// moment is a time as a page has it: JavaScript's Date as JSON.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
