package main

import (
	"net"
	"net/http"

	"framewright/lab"
)

// openLab makes the wire lab, if it is asked for, or because nobody comes from elsewhere:
// neither directly nor by a proxy.
func (a *app) openLab(listeners []net.Listener) error {
	on := a.set.lab == "on"
	switch a.set.lab {
	case "on", "off":
	case "auto":
		on = len(a.set.proxies.trusted) == 0
		for _, l := range listeners {
			addr, ok := l.Addr().(*net.TCPAddr)
			on = on && ok && addr.IP.IsLoopback()
		}
	default:
		return usagef("-lab %q: on, off or auto", a.set.lab)
	}
	if on {
		a.lab = lab.New(&lab.Options{
			Headers:        pageHeaders,
			OriginPatterns: a.set.origins,
			Hosts:          []string{"*"}, // ownHosts has looked
			Address:        a.gate.countKey,
			Logger:         a.log,
		})
	}
	return nil
}

// labRoutes adds the lab's pages. Its connections count as others do.
func (a *app) labRoutes(mux *http.ServeMux) {
	if a.lab == nil {
		mux.HandleFunc("/lab/", func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "The wire lab is off. The setting -lab on opens it.", http.StatusNotFound)
		})
		return
	}
	mux.Handle("/lab/", a.lab)
	mux.Handle("/lab/echo", a.gate.handshakes(a.lab))
	mux.Handle("/lab/measure/run", a.gate.handshakes(a.lab))
}
