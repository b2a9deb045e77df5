package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"framewright/chat"
	"framewright/chat/boltstore"
)

// storeSettings say where the history is kept, and how much of it.
type storeSettings struct {
	data      string
	inMemory  bool
	keep      int
	keepAge   time.Duration
	keepBytes int64
}

func (s *storeSettings) declare(f *flag.FlagSet) {
	f.StringVar(&s.data, "data", "", "`DIR` for the history, which outlives the server. Default: framewright in the\nuser's folder for such data, or what systemd's StateDirectory names")
	f.BoolVar(&s.inMemory, "memory", false, "keep the history in memory only")
	f.IntVar(&s.keep, "keep", 10_000, "messages kept for each room")
	f.DurationVar(&s.keepAge, "keep-age", 0, "how long a message is kept; 0 for no limit")
	f.Int64Var(&s.keepBytes, "keep-bytes", 0, "`BYTES` of messages kept for all rooms together; 0 is 1 GiB on disk, 64 MiB\nin memory. The file may get about twice as large")
}

// What -keep-bytes is by default.
const (
	keepOnDisk   = 1 << 30
	keepInMemory = 64 << 20
)

// storeName is the store's file in its folder.
const storeName = "chat.db"

// settleStore decides between -data and -memory, which exclude each other: the
// one that was given in the place that goes before, and fills in the default
// folder.
func (s *settings) settleStore(env []string) error {
	rank := func(name string) int {
		switch at := s.source[name]; {
		case at == "":
			return 0
		case at == "-"+name:
			return 3
		case at == envName(name):
			return 2
		}
		return 1
	}
	if s.inMemory && s.data != "" {
		if rank("data") == rank("memory") {
			return usagef("%s and %s exclude each other: history is kept in a folder, or in memory only", s.named("data"), s.named("memory"))
		}
		s.inMemory = rank("memory") > rank("data")
	}
	if s.inMemory {
		return nil
	}
	s.data = cmp.Or(s.data, defaultData(runtime.GOOS, env))
	if s.data == "" {
		return usagef("no folder for the chat's history, because HOME is not set: -data DIR names one, -memory does without")
	}
	return nil
}

// defaultData is the folder that systemd has made for the program, or the
// user's usual one; "" if there is no telling.
func defaultData(goos string, env []string) string {
	get := func(name string) string {
		for _, e := range env {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	}
	if dirs := get("STATE_DIRECTORY"); dirs != "" { // systemd.exec(5): a list
		first, _, _ := strings.Cut(dirs, ":")
		return first
	}
	under := func(base string, more ...string) string {
		if base == "" {
			return ""
		}
		return filepath.Join(append([]string{base}, more...)...)
	}
	switch goos {
	case "windows":
		return under(get("LOCALAPPDATA"), "framewright")
	case "darwin":
		return under(get("HOME"), "Library", "Application Support", "framewright")
	}
	return cmp.Or(under(get("XDG_DATA_HOME"), "framewright"), under(get("HOME"), ".local", "share", "framewright"))
}

// openStore returns the store that the settings ask for. The hub closes it.
func (s *settings) openStore() (chat.Store, error) {
	rooms := 2 * s.maxRooms // also those that nobody is in at the moment
	if s.inMemory {
		return &chat.Memory{
			MaxMessages: s.keep, MaxAge: s.keepAge, MaxBytes: int(cmp.Or(s.keepBytes, keepInMemory)), MaxRooms: rooms,
		}, nil
	}
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return nil, fmt.Errorf("-data %s: %w; -data takes another folder, -memory keeps nothing on disk", s.data, err)
	}
	store, err := boltstore.Open(filepath.Join(s.data, storeName), &boltstore.Options{
		MaxMessages: s.keep, MaxAge: s.keepAge, MaxBytes: cmp.Or(s.keepBytes, keepOnDisk), MaxRooms: max(rooms, 100_000),
	})
	switch {
	case errors.Is(err, boltstore.ErrLocked):
		return nil, fmt.Errorf("%w; another server works there, -data takes another folder", err)
	case errors.Is(err, boltstore.ErrForeign), errors.Is(err, boltstore.ErrDamaged):
		return nil, fmt.Errorf("%w; it was left as it is: move it away to begin anew, or take another folder with -data", err)
	case err != nil:
		return nil, fmt.Errorf("%w; -data takes another folder, -memory keeps nothing on disk", err)
	}
	return store, nil
}

// kept says where the history is.
func (s *settings) kept() string {
	if s.inMemory {
		return "History is kept in memory and is gone when the server ends."
	}
	return "History is kept in " + s.data + " (-data takes another folder, -memory none)."
}

// storeHealth is whether the history can be written, as far as the last attempt
// tells.
type storeHealth struct {
	log *slog.Logger
	try func() error // writes something; nil for a store that does not fail

	failing atomic.Bool

	trying sync.Mutex
	tried  time.Time
}

// tryEvery is how often a store that has failed is tried.
const tryEvery = time.Second

// wrote notes how a write has ended.
func (h *storeHealth) wrote(err error) {
	if h.failing.Swap(err != nil) && err == nil {
		h.log.Info("the store can write again")
	}
}

// ok reports whether the last write has succeeded. If not, it tries another:
// when nobody is sent to a server that is not ready, nobody else may write.
func (h *storeHealth) ok() bool {
	if h.failing.Load() && h.try != nil && h.trying.TryLock() {
		defer h.trying.Unlock()
		if now := time.Now(); now.Sub(h.tried) >= tryEvery {
			h.tried = now
			h.wrote(h.try())
		}
	}
	return !h.failing.Load()
}
