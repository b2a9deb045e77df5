package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"iter"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"framewright/autobahn/internal/report"
	"framewright/autobahn/internal/testee"
	"framewright/autobahn/wsspec"
)

// A trial is one testee in one role.
type trial struct {
	role   wsspec.Role
	target string // for people: what is tested
	rerun  string // the command that replays a case, without its id; "" if there is none

	results func(context.Context, []*wsspec.Case) iter.Seq[wsspec.Result]
	player  wsspec.Player // nil where the suite waits for whoever comes
}

// trials prepares what the flags ask for. What it starts ends with ctx.
func (o *options) trials(ctx context.Context) ([]*trial, error) {
	switch {
	case o.url != "":
		t, err := o.serverTrial(o.url, o.url)
		return []*trial{t}, err
	case o.exec != "":
		start, err := execClient(o.exec)
		if err != nil {
			return nil, err
		}
		t, err := o.clientTrial(ctx, o.exec, start)
		return []*trial{t}, err
	case o.listen != "":
		t, err := o.listenTrial()
		return []*trial{t}, err
	}
	var all []*trial
	if o.role != "client" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		go o.testee().Serve(ctx, l)
		t, err := o.serverTrial("ws://"+l.Addr().String()+"/", "our server")
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if o.role != "server" {
		log.SetOutput(io.Discard) // net/http, below our client, remarks on what the suite sends on purpose
		ours := o.testee()
		context.AfterFunc(ctx, ours.Close)
		t, err := o.clientTrial(ctx, "our client", func(ctx context.Context, url string, output io.Writer) error {
			ours.Echo(ctx, url) // how its connection ends is the suite's to judge
			return nil
		})
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// testee is ours, over what the suite speaks.
func (o *options) testee() *testee.Transport { return testee.Over(o.settings.HTTP2) }

func (o *options) serverTrial(url, name string) (*trial, error) {
	st, err := wsspec.NewServerTest(url, o.settings, &tls.Config{InsecureSkipVerify: o.insecure})
	if err != nil {
		return nil, err
	}
	rerun := o.command("-role", "server")
	if o.url != "" {
		args := []string{"-url", o.url}
		if o.insecure {
			args = append(args, "-insecure")
		}
		for _, h := range o.settings.Header {
			args = append(args, "-header", h)
		}
		rerun = o.command(args...)
	}
	return o.playerTrial(wsspec.Server, name, rerun, st), nil
}

func (o *options) clientTrial(ctx context.Context, name string, start wsspec.ClientFunc) (*trial, error) {
	l, scheme, err := o.clientListener("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	rerun := o.command("-role", "client")
	if o.exec != "" {
		args := []string{"-exec", o.exec}
		if o.cert != "" {
			args = append(args, "-cert", o.cert, "-key", o.key)
		}
		rerun = o.command(args...)
	}
	ct := wsspec.NewClientTest(ctx, l, o.settings, start)
	ct.Scheme = scheme
	return o.playerTrial(wsspec.Client, name, rerun, ct), nil
}

func (o *options) playerTrial(role wsspec.Role, name, rerun string, p wsspec.Player) *trial {
	return &trial{role: role, target: name, rerun: rerun, player: p,
		results: func(ctx context.Context, cases []*wsspec.Case) iter.Seq[wsspec.Result] {
			return wsspec.PlayAll(ctx, p, cases, o.pace)
		}}
}

func (o *options) listenTrial() (*trial, error) {
	l, scheme, err := o.clientListener(o.listen)
	if err != nil {
		return nil, fmt.Errorf("-listen %q: %w; want HOST:PORT", o.listen, err)
	}
	return &trial{role: wsspec.Client, target: scheme + "://" + l.Addr().String(),
		results: func(ctx context.Context, cases []*wsspec.Case) iter.Seq[wsspec.Result] {
			return wsspec.ServeClients(ctx, l, cases, o.settings)
		}}, nil
}

// clientListener is where clients under test come, and the scheme of its URLs.
func (o *options) clientListener(address string) (l net.Listener, scheme string, err error) {
	var config *tls.Config
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, "", fmt.Errorf("-cert %q -key %q: %w", o.cert, o.key, err)
		}
		config = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
		if o.settings.HTTP2 {
			config.NextProtos = []string{"h2"}
		}
	}
	if l, err = net.Listen("tcp", address); err != nil || config == nil {
		return l, "ws", err
	}
	return tls.NewListener(l, config), "wss", nil
}

// command is how this program is called with some arguments and those flags that
// change what a case does.
func (o *options) command(args ...string) string {
	name := filepath.Base(os.Args[0])
	if strings.Contains(os.Args[0], "go-build") { // where go run puts it
		name = "go run ./autobahn"
	}
	if o.settings.Count != defaultCount {
		args = append(args, "-count", strconv.Itoa(o.settings.Count))
	}
	if o.settings.HTTP2 {
		args = append(args, "-http2")
	}
	if o.settings.CutData {
		args = append(args, "-http2-cut")
	}
	for _, a := range append(args, "-replay") {
		name += " " + report.Quote(a)
	}
	return name
}
