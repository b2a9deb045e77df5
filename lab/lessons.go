package lab

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
)

// A Lesson is ten minutes about one idea. Its page asks first, lets one do something,
// shows what happened, and says why, and where that stands in the code.
type Lesson struct {
	Title    string
	Question string
	Try      Try
	Happened []string // paragraphs
	Why      []Reason
	Code     []Place
	More     []More
	Do       []Exercise
}

// A More is another page of the lab, with more to do.
type More struct{ Page, Says string }

// A Try is what one does: either messages that the browser's own WebSocket sends, or
// frames with any bits, which a raw peer within the server sends for the page. The other
// side echoes, or is the chat.
type Try struct {
	Say     string        // what is to be done, in a sentence
	To      string        // address below /lab/ for the browser's WebSocket; "": the frames
	Protos  []string      // subprotocols to offer
	Send    []string      // messages
	Answers int           // messages that come back; 0: as many as are sent
	Plan    *WorkshopPlan // frames
	Wire    string        // the frames in hexadecimal, as the lesson's text has them
	Outcome string        // what ends the dialogue, as [Dialogue] has it
}

// A Reason is a sentence and the section that it stands on, "§5.3" or "RFC 7692 §6".
type Reason struct{ Text, Section string }

// A Place is a function, method, type or variable of the code.
type Place struct{ File, Name, Says string }

// An Exercise has answers, of which any will do; its kind says how they may be written.
type Exercise struct {
	Ask     string
	Kind    answerKind
	Answers []string
	Because string
}

// An answerKind is how the page compares: see web/answers.js.
type answerKind string

const (
	number      answerKind = "number"      // with the words around it: "close 1002", "16 bytes"
	hexadecimal answerKind = "hexadecimal" // in either case, with spaces or 0x
	word        answerKind = "word"        // in either case, in quotes, with an article
	exact       answerKind = "exact"       // base64, where the case counts
)

// Link is where the reason's section stands.
func (r Reason) Link() string { return sectionLink(r.Section) }

// Link is the page that shows it.
func (p Place) Link() string {
	return "source?file=" + p.File + "&name=" + p.Name
}

// JSON is what the page's script needs to do it.
func (t *Try) JSON() (string, error) {
	b, err := json.Marshal(map[string]any{"to": t.To, "protocols": t.Protos, "send": t.Send, "answers": max(t.Answers, len(t.Send)), "plan": t.Plan})
	return string(b), err
}

// JSON is the answers for the page's script.
func (x *Exercise) JSON() (string, error) {
	b, err := json.Marshal(x.Answers)
	return string(b), err
}

var lessonPages = template.Must(template.Must(heads.Clone()).Funcs(template.FuncMap{
	"inc":         func(i int) int { return i + 1 },
	"dec":         func(i int) int { return i - 1 },
	"sectionLink": sectionLink,
}).ParseFS(templates, "lessons.tmpl"))

// lessonRoutes adds /lab/lessons, the list, and /lab/lesson-1 and so on. They are one
// level below the lab, as all its pages are, so that the addresses in them agree.
func (l *Lab) lessonRoutes() {
	l.page("/lab/lessons", "list", lessons)
	for i := range lessons {
		n := strconv.Itoa(i + 1)
		l.page("/lab/lesson-"+n, "lesson", struct {
			N, Of int
			*Lesson
		}{i + 1, len(lessons), lessons[i]})
		l.mux.Handle("GET /lab/lessons/"+n, http.RedirectHandler("/lab/lesson-"+n, http.StatusMovedPermanently))
	}
	l.mux.HandleFunc("GET /lab/source", l.source)
	l.mux.Handle("GET /lab/lessons/{$}", http.RedirectHandler("/lab/lessons", http.StatusMovedPermanently))
}

// page renders a template once and serves it at path.
func (l *Lab) page(path, name string, data any) {
	var b bytes.Buffer
	if err := lessonPages.ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // the templates and their data are constants
	}
	l.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentTypes[".html"])
		w.Write(b.Bytes())
	})
}
