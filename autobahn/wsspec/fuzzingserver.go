package wsspec

import (
	"context"
	"encoding/json"
	"iter"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
)

// A fuzzingServer is one run of ServeClients.
type fuzzingServer struct {
	Settings
	cases   []*Case
	results chan Result
	over    context.CancelFunc

	mu     sync.Mutex
	played map[string]map[string]Result // agent, id
}

// ServeClients lets clients that come to l test themselves by the protocol of the
// Autobahn testsuite's fuzzing server, in which the client asks for one case after the
// other. All of it is WebSocket connections, told apart by their URL:
//
//	/getCaseCount                       answers with the number of cases, a text
//	/getCaseInfo?case=N                 {"id": "6.4.1", "description": "..."}
//	/runCase?case=N&agent=NAME          plays case N, from 1; casetuple=6.4.1 does by id
//	/getCaseStatus?case=N&agent=NAME    {"behavior": "OK"}, or another of Autobahn's words
//	/updateReports?agent=NAME           the client is through
//	/stopServer                         ends the run
//
// An answer is followed by a Close frame. Cases that are played side by side are
// the client's choice.
//
// It yields a result for each case that one of them has asked for. It ends, and closes
// l, when a client that has played all cases says that it is through, or one says stop,
// or ctx ends, or the loop is left.
func ServeClients(ctx context.Context, l net.Listener, cases []*Case, s Settings) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		f := &fuzzingServer{Settings: s.filled(), cases: cases, results: make(chan Result), over: cancel, played: map[string]map[string]Result{}}
		if s.HTTP2 {
			l = listenH2(l, s.CutData)
		}
		done := acceptAll(ctx, l, f.serve)
		go func() {
			<-done
			close(f.results)
		}()
		defer func() {
			cancel()
			for range f.results {
			}
		}()
		for r := range f.results {
			if !yield(r) {
				return
			}
		}
	}
}

// serve does what a connection's URL asks for.
func (f *fuzzingServer) serve(ctx context.Context, a arrival) {
	u, err := url.ParseRequestURI(requestPath(a.head))
	if err != nil {
		refuse(a.conn, "400 Bad Request", "the target of the request is no path")
		return
	}
	q := u.Query()
	agent := q.Get("agent")
	c := f.caseOf(q)
	needsCase := u.Path == "/runCase" || u.Path == "/getCaseInfo" || u.Path == "/getCaseStatus"
	if needsCase && c == nil {
		refuse(a.conn, "404 Not Found", "want case=N with N from 1 to "+strconv.Itoa(len(f.cases))+", or casetuple=ID")
		return
	}
	switch u.Path {
	case "/runCase":
		f.run(ctx, a, c, agent)
	case "/getCaseCount":
		f.answer(ctx, a, len(f.cases))
	case "/getCaseInfo":
		f.answer(ctx, a, map[string]string{"id": c.ID, "description": c.Title})
	case "/getCaseStatus":
		f.answer(ctx, a, map[string]string{"behavior": f.behavior(agent, c)})
	case "/updateReports":
		f.answer(ctx, a, nil)
		if f.through(agent) {
			f.over()
		}
	case "/stopServer":
		f.answer(ctx, a, nil)
		f.over()
	default:
		refuse(a.conn, "404 Not Found", "want /getCaseCount, /getCaseInfo, /runCase, /getCaseStatus, /updateReports or /stopServer")
	}
}

// caseOf finds the case that a query names, or nil.
func (f *fuzzingServer) caseOf(q url.Values) *Case {
	if id := q.Get("casetuple"); id != "" {
		i := slices.IndexFunc(f.cases, func(c *Case) bool { return c.ID == id })
		if i < 0 {
			return nil
		}
		return f.cases[i]
	}
	n, err := strconv.Atoi(q.Get("case"))
	if err != nil || n < 1 || n > len(f.cases) {
		return nil
	}
	return f.cases[n-1]
}

// maxAgents bounds how many names a client may make up.
const maxAgents = 64

func (f *fuzzingServer) run(ctx context.Context, a arrival, c *Case, agent string) {
	r := PlayClient(ctx, c, f.Settings, a.conn, a.head, a.rest)
	if ctx.Err() != nil { // it was not done
		return
	}
	r.Agent = agent
	f.mu.Lock()
	if f.played[agent] == nil && len(f.played) < maxAgents {
		f.played[agent] = map[string]Result{}
	}
	if f.played[agent] != nil {
		f.played[agent][c.ID] = Result{Verdict: r.Verdict}
	}
	f.mu.Unlock()
	f.results <- r
}

func (f *fuzzingServer) through(agent string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.played[agent]) >= len(f.cases)
}

// behavior is Autobahn's word for what a case came to.
func (f *fuzzingServer) behavior(agent string, c *Case) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.played[agent][c.ID]
	switch {
	case !ok:
		return "UNKNOWN"
	case r.Behavior != "":
		return r.Behavior
	}
	return map[Outcome]string{Passed: "OK", Weak: "NON-STRICT", Noted: "INFORMATIONAL", Skipped: "UNIMPLEMENTED", Failed: "FAILED"}[r.Outcome]
}

// answer opens a connection, says v as JSON, unless it is nil, and closes.
func (f *fuzzingServer) answer(ctx context.Context, a arrival, v any) {
	PlayClient(ctx, &Case{Play: func(d *Dialogue) Verdict {
		if d.Open() != nil {
			return Verdict{}
		}
		if v != nil {
			text, err := json.Marshal(v)
			if err != nil {
				panic(err) // numbers and strings only
			}
			d.Send(Text(string(text)))
		}
		d.Send(CloseFrame(1000, ""))
		for {
			e := d.Next()
			if e.Err != nil || e.Frame.Opcode == OpClose {
				return Verdict{}
			}
		}
	}}, f.Settings, a.conn, a.head, a.rest)
}
