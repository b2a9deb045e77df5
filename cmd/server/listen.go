package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// unixPrefix begins the address of a Unix socket: unix:/run/framewright.sock.
const unixPrefix = "unix:"

// listen listens at the address of an option, with a hint for the mistake that
// everybody makes once. mode is for a Unix socket.
func listen(option, addr string, mode fs.FileMode) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		l, err := listenUnix(path, mode)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", option, addr, err)
		}
		return l, nil
	}
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w; is it running already? %s takes another port, 0 a free one", err, option)
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("%w; ports below 1024 need a privilege, %s takes another", err, option)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", option, addr, err)
	}
	return l, nil
}

// A unixListener takes its file away in the end, unless somebody else has put
// another in its place.
type unixListener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
	once sync.Once
}

// listenUnix makes a socket that those may use whom its mode lets write. One
// that a server has left that did not end in an orderly way is replaced; one
// where somebody listens is not, nor anything else that has the name.
func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("expected unix: and the name of a file, as in unix:/run/framewright/http.sock")
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, errors.New("there is a file of that name that is no socket; it was left as it is")
		}
		conn, err := net.DialTimeout("unix", path, time.Second)
		if err == nil {
			conn.Close()
			return nil, errors.New("somebody listens there; is it running already?")
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, fmt.Errorf("there is a socket of that name, and no telling whether somebody listens: %w", err)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	var l *net.UnixListener
	err := strictly(func() (err error) { // nobody gets in before the mode is there
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	u := &unixListener{UnixListener: l, path: path}
	if u.made, err = os.Lstat(path); err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

// Close implements [net.Listener].
func (u *unixListener) Close() error {
	u.once.Do(func() {
		if now, err := os.Lstat(u.path); err == nil && u.made != nil && os.SameFile(now, u.made) {
			os.Remove(u.path)
		}
	})
	return u.UnixListener.Close()
}

// fileMode is the setting of a file's permissions, in octal.
type fileMode fs.FileMode

func (m *fileMode) String() string { return fmt.Sprintf("%04o", uint32(*m)) }
func (m *fileMode) Set(s string) error {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil || n > 0o777 {
		return errors.New("expected permissions in octal, from 0000 to 0777")
	}
	*m = fileMode(n)
	return nil
}

// inherited are the sockets that systemd, or who does as it does, has opened for
// the program (sd_listen_fds(3)): those that are called metrics are for
// -metrics-addr, all others for -addr.
type inherited struct{ main, metrics []net.Listener }

// firstInherited is the number of the first one's descriptor.
const firstInherited = 3

func inherit(env []string) (in inherited, err error) {
	get := func(name string) string {
		for _, e := range slices.Backward(env) {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	}
	if get("LISTEN_PID") != strconv.Itoa(os.Getpid()) || get("LISTEN_FDS") == "" { // meant for another process
		return in, nil
	}
	n, err := strconv.Atoi(get("LISTEN_FDS"))
	if err != nil || n < 0 || n > 64 {
		return in, usagef("LISTEN_FDS %q: expected the number of sockets, at most 64", get("LISTEN_FDS"))
	}
	names := strings.Split(get("LISTEN_FDNAMES"), ":")
	for i := range n {
		name := "unknown"
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		l, err := inheritedListener(firstInherited+i, name)
		if err != nil {
			in.close()
			return in, fmt.Errorf("LISTEN_FDS: socket %d (%s): %w; the server needs stream sockets that listen (ListenStream=, Accept=no)", i+1, name, err)
		}
		if name == "metrics" {
			in.metrics = append(in.metrics, l)
		} else {
			in.main = append(in.main, l)
		}
	}
	return in, nil
}

func (in *inherited) close() {
	for _, l := range slices.Concat(in.main, in.metrics) {
		l.Close()
	}
}
