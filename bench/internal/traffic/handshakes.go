//go:build linux

package traffic

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Handshakes opens connections to addr for d, inFlight at a time, has each
// answered and checked, and resets it: a connection that is closed in the
// ordinary way would hold its port for a minute.
func Handshakes(addr string, inFlight int, d time.Duration) (*Result, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("traffic: epoll: %w", err)
	}
	defer unix.Close(epoll)
	begun := map[int32]time.Time{}
	defer func() {
		for fd := range begun {
			unix.Close(int(fd))
		}
	}()
	req := request(addr, "")
	open := func() error {
		now := time.Now()
		fd, err := connect(addr, 0)
		if err != nil {
			return err
		}
		begun[int32(fd)] = now
		_, err = write(fd, req)
		return errors.Join(err,
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
			unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
	}

	begin := time.Now()
	for range inFlight {
		if err := open(); err != nil {
			return nil, err
		}
	}
	res := &Result{}
	events := make([]unix.EpollEvent, inFlight)
	for len(begun) > 0 {
		n, err := unix.EpollWait(epoll, events, int(patience/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return nil, fmt.Errorf("traffic: %d handshakes are not answered after %v: %v", len(begun), patience, err)
		}
		for _, e := range events[:n] {
			// The socket blocks, so an answer in pieces is waited for.
			rest, err := readAnswer(int(e.Fd))
			if err != nil {
				return nil, err
			}
			if len(rest) > 0 {
				return nil, errors.New("traffic: the server sent something behind its answer")
			}
			now := time.Now()
			res.Latency.Add(now.Sub(begun[e.Fd]))
			res.Messages++
			res.Deliveries++
			delete(begun, e.Fd)
			unix.Close(int(e.Fd))
			if now.Sub(begin) < d {
				if err := open(); err != nil {
					return nil, err
				}
			}
		}
	}
	res.Elapsed = time.Since(begin)
	return res, nil
}
