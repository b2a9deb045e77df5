package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"

	"framewright/chat/sio"
	"framewright/socketio"
	adminui "framewright/socketio/admin"
)

// adminUISettings are about the official Admin UI of Socket.IO.
type adminUISettings struct {
	adminUI       string
	adminUIFolder string
}

func (s *adminUISettings) declare(f *flag.FlagSet) {
	f.StringVar(&s.adminUI, "admin-ui", "off", "`MODE` in which the official Admin UI of Socket.IO may look at the server:\nproduction (numbers), development (every socket and event, and what people\nwrite), or off. Its user is admin, its password the key of -admin-key-file")
	f.StringVar(&s.adminUIFolder, "admin-ui-folder", "", "`FOLDER` with that page, ui/dist of npm's @socket.io/admin-ui, for /admin-ui/;\na page elsewhere needs -origin")
}

func (s *settings) checkAdminUI() error {
	switch adminui.Mode(s.adminUI) {
	case "off":
		if s.adminUIFolder != "" {
			return s.badf("admin-ui-folder", "there is nothing for the page to look at without -admin-ui production or development")
		}
		return nil
	case adminui.Production, adminui.Development:
	default:
		return s.badf("admin-ui", "production, development or off")
	}
	if s.adminKeyFile == "" {
		return s.badf("admin-ui", "needs -admin-key-file, whose key is the page's password")
	}
	return nil
}

// instrument lets the Admin UI look at the server, if the settings say so.
func (a *app) instrument(io *socketio.Server) error {
	if a.set.adminUI == "off" {
		return nil
	}
	return adminui.Instrument(io, adminui.Options{
		Password:  a.set.adminKey,
		Mode:      adminui.Mode(a.set.adminUI),
		MaxPacket: max(min(64<<10, a.set.queue/4), 8<<10),
		Address:   func(ctx context.Context, _ *socketio.Socket) string { return limitKey(clientOf(ctx).addr) },
		Data:      shownPerson,
		Logger:    a.log,
	})
}

// shownPerson is what the Admin UI shows as a socket's data: who it is in the chat.
func shownPerson(_ context.Context, s *socketio.Socket) any {
	session := sio.SessionOf(s)
	if session == nil {
		return nil
	}
	p := session.Person()
	return map[string]any{"person": p.ID, "name": p.Name, "account": p.Account}
}

// adminUIPath is where the page is served, if the settings name its folder.
const adminUIPath = "/admin-ui/"

// adminUIPolicy lets the page have its own scripts alone. It asks two other sites for fonts
// and pictures, makes its style sheet as it goes, and connects to whatever server it is told.
const adminUIPolicy = "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src *; " +
	"style-src 'self' 'unsafe-inline' https://fonts.googleapis.com https://cdn.jsdelivr.net; " +
	"font-src https://fonts.gstatic.com https://cdn.jsdelivr.net; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// adminUIRoutes adds the page.
func (a *app) adminUIRoutes(mux *http.ServeMux) error {
	if a.set.adminUIFolder == "" {
		mux.HandleFunc(adminUIPath, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "The Admin UI of Socket.IO is not here. The options -admin-ui and -admin-ui-folder put it here.", http.StatusNotFound)
		})
		return nil
	}
	root, err := os.OpenRoot(a.set.adminUIFolder)
	if err != nil {
		return fmt.Errorf("-admin-ui-folder: %w", err)
	}
	a.atEnd = append(a.atEnd, func() { root.Close() })
	if _, err := root.Stat("index.html"); err != nil {
		return fmt.Errorf("-admin-ui-folder %s: %w; expected the folder ui/dist of npm's @socket.io/admin-ui", a.set.adminUIFolder, err)
	}
	files := http.StripPrefix(adminUIPath[:len(adminUIPath)-1], folder(published{root}))
	mux.HandleFunc(adminUIPath, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", adminUIPolicy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		files.ServeHTTP(w, r)
	})
	return nil
}
