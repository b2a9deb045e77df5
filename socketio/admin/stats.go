package admin

import (
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"framewright/engineio"
	"framewright/socketio"
)

// serverStats is the event server_stats.
type serverStats struct {
	ServerID   string           `json:"serverId"`
	Hostname   string           `json:"hostname"`
	PID        int              `json:"pid"`
	Uptime     float64          `json:"uptime"` // in seconds
	Clients    int              `json:"clientsCount"`
	Polling    int              `json:"pollingClientsCount"`
	Aggregated []aggregated     `json:"aggregatedEvents"`
	Namespaces []namespaceStats `json:"namespaces"`
}

// An aggregated is how often something has happened since the last one.
type aggregated struct {
	Timestamp int64  `json:"timestamp"` // in milliseconds, on a whole second
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"`
	Count     int64  `json:"count"`
}

type namespaceStats struct {
	Name    string `json:"name"`
	Sockets int    `json:"socketsCount"`
}

// counts are what happens between two statistics.
type counts struct {
	opened, packetsIn, bytesIn, packetsOut, bytesOut atomic.Int64

	mu     sync.Mutex
	closed map[socketio.Reason]int64
}

// watch has w count.
func (c *counts) watch(w *socketio.Watcher) {
	w.Opened = func() { c.opened.Add(1) }
	w.Closed = func(why socketio.Reason) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed == nil {
			c.closed = make(map[socketio.Reason]int64)
		}
		c.closed[why]++ // of a few reasons
	}
	w.In = func(n int) { c.packetsIn.Add(1); c.bytesIn.Add(int64(n)) }
	w.Out = func(n int) { c.packetsOut.Add(1); c.bytesOut.Add(int64(n)) }
}

// take returns what was counted, and begins anew.
func (c *counts) take(now time.Time) []aggregated {
	at := now.Truncate(time.Second).UnixMilli()
	list := []aggregated{} // in JSON a list, also where it is empty
	for _, one := range []struct {
		name  string
		count *atomic.Int64
	}{
		{"rawConnection", &c.opened}, {"packetsIn", &c.packetsIn}, {"bytesIn", &c.bytesIn}, {"packetsOut", &c.packetsOut}, {"bytesOut", &c.bytesOut},
	} {
		if n := one.count.Swap(0); n > 0 {
			list = append(list, aggregated{at, one.name, "", n})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, why := range slices.Sorted(maps.Keys(c.closed)) {
		list = append(list, aggregated{at, "rawDisconnection", string(why), c.closed[why]})
	}
	clear(c.closed)
	return list
}

// stats are the server's of this moment.
func (p *panel) stats(c *counts) serverStats {
	s := serverStats{ServerID: p.o.ServerID, Hostname: hostname(), PID: os.Getpid(), Clients: p.io.Count(), Uptime: time.Since(p.began).Seconds(), Aggregated: c.take(time.Now())}
	polling := make(map[string]struct{}) // clients
	for _, ns := range p.io.Namespaces() {
		sockets := ns.Sockets()
		s.Namespaces = append(s.Namespaces, namespaceStats{ns.Name(), len(sockets)})
		for _, one := range sockets {
			if one.Transport() == engineio.Polling {
				polling[one.Session()] = struct{}{}
			}
		}
	}
	s.Polling = len(polling)
	return s
}
