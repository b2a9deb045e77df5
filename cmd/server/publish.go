package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"framewright/chat"
	"framewright/internal/strictjson"
)

// A publisher takes messages from other processes:
//
//	POST /publish
//	Authorization: Bearer KEY
//	Content-Type: application/json
//
//	{"room": "lobby", "text": "The build is green.", "name": "CI", "id": "build-4711"}
//
// The answer is {"room", "id", "cursor", "time"}, once the message is stored.
// With an id a request may be repeated: the room gets the message once, and
// every repetition the same answer.
type publisher struct {
	key     [sha256.Size]byte // of the key, so that comparing takes the same time for any
	limit   int64             // bytes of a body
	hub     *chat.Hub
	gate    *gate
	log     *slog.Logger
	metrics *metrics
}

// minPublishKey is the least length of a key, in bytes.
const minPublishKey = 16

// publisherID is the person that published messages come from. It is no ID that
// a client can have, and its name may be anything.
const publisherID = "publish"

type publishRequest struct {
	Room string `json:"room"`
	Text string `json:"text"`
	Name string `json:"name,omitempty"` // default: Server
	ID   string `json:"id,omitempty"`
}

type publishAnswer struct {
	Room   string      `json:"room"`
	ID     string      `json:"id,omitempty"`
	Cursor chat.Cursor `json:"cursor"`
	Time   time.Time   `json:"time"`
}

// A publishError is an answer that is not 200.
type publishError struct {
	status int
	Code   string `json:"code"`
	Text   string `json:"text"`
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	answer, failed := p.publish(w, r)
	status := http.StatusOK
	body, _ := json.Marshal(answer)
	if failed != nil {
		status = failed.status
		body, _ = json.Marshal(failed)
		level := slog.LevelInfo
		if status >= 500 {
			level = slog.LevelError
		}
		p.log.Log(r.Context(), level, "publish refused", "status", status, "code", failed.Code,
			"remote", remote(p.gate.proxies.client(r)), "err", failed.Text)
	}
	p.metrics.publish.WithLabelValues(strconv.Itoa(status)).Inc()
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

func (p *publisher) publish(w http.ResponseWriter, r *http.Request) (publishAnswer, *publishError) {
	refuse := func(status int, code, text string) (publishAnswer, *publishError) {
		return publishAnswer{}, &publishError{status, code, text}
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return refuse(http.StatusMethodNotAllowed, "method", "publishing takes POST")
	}
	if !bearer(r, p.key) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="publish"`)
		return refuse(http.StatusUnauthorized, "unauthorized", "expected the header Authorization: Bearer, with the key that -publish-key-file names")
	}
	if now := p.gate.now(); now != ready {
		retryAfter(w, p.gate.after)
		return refuse(http.StatusServiceUnavailable, now.String(), "the server is "+now.String()+"; try again soon, with the same id")
	}
	body, bad := jsonBody(w, r, p.limit, " (option -max-message)")
	if bad != nil {
		return refuse(bad.status, bad.code, bad.text)
	}
	req, err := parsePublish(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "bad-request", err.Error())
	}
	m, err := p.hub.Publish(req.Room, chat.Person{ID: publisherID, Name: req.Name, Account: true}, req.ID, req.Text)
	if e, ok := errors.AsType[*chat.Error](err); ok {
		status := http.StatusUnprocessableEntity
		switch e.Code {
		case chat.CodeUnavailable:
			status = http.StatusServiceUnavailable
			retryAfter(w, time.Second)
			p.log.Error("publish failed", "err", e.Err)
		case chat.CodeTooManyRooms:
			status = http.StatusServiceUnavailable
			retryAfter(w, time.Minute)
		}
		return refuse(status, string(e.Code), e.Text)
	}
	if err != nil {
		p.log.Error("publish failed", "err", err)
		return refuse(http.StatusInternalServerError, "internal", "the message could not be published")
	}
	if m.Text != req.Text && m.Text != "" { // it is empty once it was deleted
		return refuse(http.StatusConflict, "id-used", "the id "+strconv.Quote(req.ID)+" is that of an earlier message with another text; every message has an id of its own")
	}
	return publishAnswer{Room: m.Room, ID: m.ID, Cursor: m.Cursor, Time: m.Time}, nil
}

// parsePublish reads what is to be published.
func parsePublish(body []byte) (publishRequest, error) {
	var req publishRequest
	err := readFields(body, []field{{"room", &req.Room}, {"text", &req.Text}, {"name", &req.Name}, {"id", &req.ID}})
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		return req, fmt.Errorf(`%w; expected one object {"room", "text", "name", "id"} of strings; "name" and "id" may be left out`, e)
	}
	if err != nil {
		return req, err
	}
	req.Name = cmp.Or(req.Name, "Server")
	if err := chat.CheckName(req.Name); err != nil {
		e, _ := errors.AsType[*chat.Error](err)
		return req, errors.New(e.Text)
	}
	if len(req.ID) > 64 {
		return req, errors.New("an id has at most 64 bytes")
	}
	return req, nil
}

// noPublisher answers where publishing is off.
func noPublisher(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "Publishing is off. The option -publish-key-file turns it on.", http.StatusNotFound)
}
