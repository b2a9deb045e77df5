package main

import (
	"cmp"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"framewright/chat/token"
	"framewright/ws"
	"framewright/ws/wsnet"
)

const chatAbout = `Usage: server [settings]
       server echo [settings]   a bare echo server; see "server echo -h"

A chat for browsers: open the address that it prints. History is kept in the
folder that it prints, too; -memory keeps it in memory only. SIGINT (Ctrl-C)
or SIGTERM ends it in an orderly way, a second one at once.

By default only this machine can reach it. To let others in, give -addr a
public address, and -cert and -key (or a proxy that does TLS in front, and
-trusted-proxy).

A setting such as -max-conns can also stand in the environment, as
FRAMEWRIGHT_MAX_CONNS, or in the file that -config names, as a line
max-conns = 5000. The command line goes before the environment, the environment
before the file.
`

// settings are the chat server's.
type settings struct {
	layers
	flags *flag.FlagSet

	addr         string
	socketMode   fileMode
	web          string
	dev          bool
	basePath     basePath
	metricsAddr  string
	metricsApart bool // there is a socket for them
	cert, key    string
	http2        bool
	origins      patterns
	hosts        hosts
	proxies      proxies

	publishKey     string
	publishKeyFile string
	adminKeyFile   string
	adminKey       string // from adminKeyFile
	tokenKeyFile   string
	tokenKey       token.Key // from tokenKeyFile; nil without
	tokenIssuer    string
	tokenAudience  string

	maxConns          int
	maxHTTP           int
	maxPerAddressHTTP int
	maxPerAddress     int
	byteRate          int
	addressByteRate   int
	packetRate        int
	idleRate          int
	handshakeRate     rate
	headerTimeout     time.Duration
	helloTimeout      time.Duration
	maxHeader         int
	maxMessage        int64
	compress          bool
	pingInterval      time.Duration
	pongTimeout       time.Duration
	writeTimeout      time.Duration

	adminUISettings
	storeSettings
	chatSettings

	drain       time.Duration
	drainWindow time.Duration
	drainClose  int
	logFormat   string
	logLevel    slog.Level
	logRate     rate
	trace       traceSettings
	lab         string
}

// patterns is a flag that may be given many times, and have many values.
type patterns []string

func (p *patterns) list()          {}
func (p *patterns) String() string { return strings.Join(*p, ",") }
func (p *patterns) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if err := ws.CheckOriginPattern(one); err != nil {
			return err
		}
		*p = append(*p, one)
	}
	return nil
}

// all reports whether pages of every origin are allowed.
func (p patterns) all() bool { return slices.Contains(p, "*") }

// named are those that name whom they allow.
func (p patterns) named() patterns {
	return slices.DeleteFunc(slices.Clone(p), func(one string) bool { return one == "*" })
}

// declare makes the flag set.
func (s *settings) declare() {
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	s.flags = f
	f.String("config", "", "`FILE` with settings, a line each: name = value")
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`HOST:PORT` to listen on; :8080 is every address of this machine, port 0 a\nfree one; or unix:/a/file for a Unix socket. Sockets from systemd (LISTEN_FDS)\ntake the default's place")
	s.socketMode = 0o660
	f.Var(&s.socketMode, "socket-mode", "`MODE` of a Unix socket's file, in octal: who may write there may connect")
	f.StringVar(&s.web, "web", "", "`FOLDER` with a site of one's own, in place of the built-in page: its\nindex.html, or base.html, or its only .html file")
	f.BoolVar(&s.dev, "dev", false, "for who writes the site of -web: its pages reload when a file of it changes")
	f.StringVar(&s.metricsAddr, "metrics-addr", "", "`HOST:PORT` for /metrics, /healthz and /readyz alone; then -addr has no\n/metrics. Default: all on -addr")
	f.Var(&s.basePath, "base-path", "`PATH` under which a proxy that leaves it there has put the server, such as /chat.\nA proxy that takes it away needs none")
	f.Var(&s.origins, "origin", "`HOST` of a page elsewhere that may connect, besides the server's own page:\nexample.com, *.example.com, https://example.com:8443; may be repeated. * is\nevery page that there is, without credentials: for development only")
	f.Var(&s.hosts, "host", "`HOST` that this server answers for, without a port: example.com,\n*.example.com, * for all; may be repeated. Default: all, but on a loopback\n-addr localhost and its like, unless there is a -trusted-proxy")
	f.Var(&s.proxies.trusted, "trusted-proxy", "`NETWORK` or address of a proxy in front, whose word about a client's\naddress is believed; unix for whoever comes by a Unix socket; may be repeated")
	f.StringVar(&s.proxies.header, "proxy-header", xForwardedFor, "`HEADER` in which the trusted proxy says it: X-Forwarded-For or Forwarded.\nThe other one is ignored: a client may have written it")
	f.StringVar(&s.cert, "cert", "", "`FILE` with the TLS certificate chain (PEM); turns on https and wss")
	f.StringVar(&s.key, "key", "", "`FILE` with the certificate's private key (PEM)")
	f.BoolVar(&s.http2, "http2", true, "with -cert, HTTP/2 as well as HTTP/1.1: the page and its WebSockets share a\nconnection")
	f.StringVar(&s.publishKeyFile, "publish-key-file", "", "`FILE` with the key for POST /publish, which is off without one")
	f.StringVar(&s.publishKey, "publish-key", "", "the `KEY` itself; better in FRAMEWRIGHT_PUBLISH_KEY, because every user of\nthe machine can read a command line")
	f.StringVar(&s.adminKeyFile, "admin-key-file", "", "`FILE` with the key for the operator's page at /admin/, which is off without\none")
	f.StringVar(&s.tokenKeyFile, "token-key-file", "", "`FILE` with the key of the tokens by which another site says who a client\nis; none are taken without one")
	f.StringVar(&s.tokenIssuer, "token-issuer", "", "the `NAME` that a token's iss must be; default: any, or none")
	f.StringVar(&s.tokenAudience, "token-audience", "", "the `NAME` that a token's aud must have; without one, a token that has an aud\nis refused as one for somebody else")

	f.IntVar(&s.maxConns, "max-conns", 10_000, "chat connections at one time, WebSockets and those of Socket.IO together;\n0 for as many as there may be open files")
	f.IntVar(&s.maxHTTP, "max-http", 10_000, "other HTTP connections at one time: requests, polling, and those that have\nsaid nothing yet. Past it the one that has waited longest for a request makes\nroom; 0 for as many as there may be open files")
	f.IntVar(&s.maxPerAddressHTTP, "max-http-per-address", 512, "HTTP connections from one address, or one IPv6 /64, but for trusted proxies;\n0 for no limit")
	f.IntVar(&s.maxPerAddress, "max-per-address", 256, "connections from one address, or one IPv6 /64; 0 for no limit")
	s.handshakeRate = rate{20, 200}
	f.Var(&s.handshakeRate, "handshake-rate", "new connections from one address, `RATE/BURST`: so many a second in the\nlong run, and at once; the same again for requests of Socket.IO for a session\nthat there is not; 0 for no limit")
	f.IntVar(&s.byteRate, "byte-rate", 256<<10, "`BYTES` a second that one connection may send, each message counting 64 more;\nten seconds' worth at once. What comes faster has to wait; 0 for no limit")
	f.IntVar(&s.addressByteRate, "byte-rate-per-address", 2<<20, "the same, `BYTES` a second of all connections from one address, or one IPv6\n/64, by the native protocol, and as much by Socket.IO; 0 for no limit")
	f.IntVar(&s.packetRate, "packet-rate", 2000, "packets a second that one client of Socket.IO may send; ten seconds' worth at\nonce. What comes faster has to wait; 0 for no limit")
	f.IntVar(&s.idleRate, "idle-rate", 20, "packets a second of which nothing comes: pings, pongs that no ping asked for,\nand those of Engine.IO that mean nothing, and five times as many events of\nSocket.IO without a handler and the like; ten seconds' worth at once. More\nclose the connection; 0 for no limit")
	f.DurationVar(&s.headerTimeout, "header-timeout", 5*time.Second, "how long a request's header may take")
	f.DurationVar(&s.helloTimeout, "hello-timeout", 10*time.Second, "how long a connection may take to say who it is")
	f.IntVar(&s.maxHeader, "max-header", 16<<10, "`BYTES` of a request's header")
	f.Int64Var(&s.maxMessage, "max-message", 64<<10, "longest WebSocket message from a client, or body of POST /publish,\nin `BYTES`")
	f.BoolVar(&s.compress, "compress", false, "compress WebSocket messages of 128 bytes and more, each by itself\n(permessage-deflate), for clients that offer it; not Socket.IO's")
	f.DurationVar(&s.pingInterval, "ping-interval", 30*time.Second, "silence after which a connection is pinged; 0 for never")
	f.DurationVar(&s.pongTimeout, "pong-timeout", 20*time.Second, "how long it then has for a sign of life")
	f.DurationVar(&s.writeTimeout, "write-timeout", 10*time.Second, "how long a client may take to accept a frame")
	s.adminUISettings.declare(f)
	s.storeSettings.declare(f)
	s.chatSettings.declare(f)

	f.DurationVar(&s.drain, "drain", 20*time.Second, "how long the orderly end may take")
	f.DurationVar(&s.drainWindow, "drain-window", 5*time.Second, "over how long the closing of connections is spread, so that their return\ndoes not come at once; few connections take less")
	f.IntVar(&s.drainClose, "drain-close", int(ws.CodeServiceRestart), "close `CODE` in a drain: 1012 (restart) or 1001 (going away)")
	f.StringVar(&s.logFormat, "log", "auto", "`FORMAT` of the log on stderr: json, text, or auto: text on a terminal")
	f.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "`LEVEL` of the log: debug, info, warn or error")
	s.logRate = rate{20, 200}
	f.Var(&s.logRate, "log-rate", "lines of one kind that one address may cause in the log, `RATE/BURST`, and all\naddresses together ten times that; what is left out is counted; 0 for no limit")
	s.trace.declare(f)
	f.StringVar(&s.lab, "lab", "auto", "the wire lab at /lab/, where a page sees the frames of its own connections: `WHEN` on,\noff, or auto: if the server listens on loopback addresses only")
}

func parseSettings(args, env []string, stdout io.Writer) (*settings, error) {
	s := &settings{}
	s.declare()
	if err := parseFlags(s.flags, args, stdout, chatAbout); err != nil {
		return nil, err
	}
	if err := s.apply(s.flags, env); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.settleStore(env)
}

// badf is the error of a setting that makes no sense.
func (s *settings) badf(name, format string, args ...any) error {
	return usagef("%s %s: %s", s.named(name), s.flags.Lookup(name).Value, fmt.Sprintf(format, args...))
}

func (s *settings) check() error {
	if (s.cert == "") != (s.key == "") {
		return usagef("-cert and -key go together: one is the certificate, the other its key")
	}
	if s.dev && s.web == "" {
		return usagef("%s: there is nothing to watch without -web", s.named("dev"))
	}
	switch s.logFormat {
	case "auto", "json", "text":
	default:
		return s.badf("log", "auto, text or json")
	}
	switch {
	case strings.EqualFold(s.proxies.header, xForwardedFor):
		s.proxies.header = xForwardedFor
	case strings.EqualFold(s.proxies.header, forwarded):
		s.proxies.header = forwarded
	default:
		return s.badf("proxy-header", "%s or %s", xForwardedFor, forwarded)
	}
	if c := ws.Code(s.drainClose); c != ws.CodeServiceRestart && c != ws.CodeGoingAway {
		return s.badf("drain-close", "1012 or 1001")
	}
	if err := s.checkBounds(); err != nil {
		return err
	}
	if err := s.checkAdminUI(); err != nil {
		return err
	}
	// Who is held up is not read from, and a connection that is not read from for
	// long looks dead.
	for _, r := range []struct {
		name  string
		value int
	}{{"byte-rate", s.byteRate}, {"byte-rate-per-address", s.addressByteRate}} {
		if r.value > 0 && int64(r.value) < s.maxMessage/10 {
			return s.badf(r.name, "at least a tenth of -max-message %d, or 0 for no limit", s.maxMessage)
		}
	}
	if s.byteRate > 0 && s.addressByteRate > 0 && s.addressByteRate < s.byteRate {
		return s.badf("byte-rate-per-address", "at least the -byte-rate of one connection, which is %d", s.byteRate)
	}
	if s.source["max-rooms-per-address"] == "" {
		s.maxRoomsPerAddress = max(s.maxRooms/10, 1)
	}
	if s.source["drain-window"] == "" {
		s.drainWindow = min(s.drainWindow, s.drain/2)
	}
	if s.drainWindow >= s.drain {
		return s.badf("drain-window", "less than -drain, which is %v", s.drain)
	}
	// The least that JSON adds. Text that needs many escapes can still be too
	// long for -max-message, and the client learns that by 1009.
	if int64(s.maxText) > s.maxMessage-512 {
		return s.badf("max-text", "does not fit into -max-message %d with what JSON adds", s.maxMessage)
	}
	if s.maxText > s.queue/8 {
		return s.badf("queue", "too small for messages of -max-text %d: at least eight times that", s.maxText)
	}
	return s.readKeys()
}

// checkBounds holds every number and duration against the least that makes
// sense.
func (s *settings) checkBounds() error {
	for name, least := range map[string]int64{
		"max-conns": 0, "max-per-address": 0, "max-http": 0, "max-http-per-address": 0, "byte-rate": 0, "byte-rate-per-address": 0, "packet-rate": 0, "idle-rate": 0, "max-header": 1024, "max-message": 1024, "keep": 1, "keep-bytes": 0,
	} {
		if err := s.atLeast(name, least); err != nil {
			return err
		}
	}
	for name, least := range chatBounds {
		if err := s.atLeast(name, least); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		name     string
		value    time.Duration
		zeroGood bool
	}{
		{"drain", s.drain, false}, {"drain-window", s.drainWindow, true}, {"header-timeout", s.headerTimeout, false},
		{"hello-timeout", s.helloTimeout, false}, {"ping-interval", s.pingInterval, true}, {"pong-timeout", s.pongTimeout, false},
		{"write-timeout", s.writeTimeout, false}, {"queue-age", s.queueAge, false}, {"presence-grace", s.presenceGrace, true},
		{"keep-age", s.keepAge, true},
	} {
		if d.value < 0 || d.value == 0 && !d.zeroGood {
			return s.badf(d.name, "a time above 0")
		}
		if d.value > maxTime {
			return s.badf(d.name, "a time, %v at the most", maxTime)
		}
	}
	return nil
}

func (s *settings) atLeast(name string, least int64) error {
	var value int64
	if _, err := fmt.Sscan(s.flags.Lookup(name).Value.String(), &value); err != nil || value < least {
		return s.badf(name, "a number, %d or more", least)
	}
	if value > maxNumber {
		return s.badf(name, "a number, %d at the most", maxNumber)
	}
	return nil
}

// maxNumber is more than any setting needs, and so little that what is reckoned
// with it, here and in the packages below, stays a number.
const maxNumber = math.MaxInt / 16

// maxTime is longer than any server runs, and so short that times can be added to
// it.
const maxTime = 100 * 365 * 24 * time.Hour

// readKeys fills publishKey and tokenKey from their files.
func (s *settings) readKeys() (err error) {
	if s.publishKeyFile != "" {
		if s.publishKey != "" {
			return usagef("%s and %s: one of them", s.named("publish-key"), s.named("publish-key-file"))
		}
		if s.publishKey, err = s.readKey("publish-key-file", minPublishKey); err != nil {
			return err
		}
	}
	if s.publishKey != "" && len(s.publishKey) < minPublishKey {
		return usagef("%s: a key has at least %d bytes, and should be random", s.named("publish-key"), minPublishKey)
	}
	if !fitsHeader(s.publishKey) {
		name := "publish-key"
		if s.publishKeyFile != "" {
			name = "publish-key-file"
		}
		return usagef("%s: %s", s.named(name), noHeader)
	}
	if s.tokenKeyFile == "" && s.tokenIssuer+s.tokenAudience != "" {
		name := "token-issuer"
		if s.tokenIssuer == "" {
			name = "token-audience"
		}
		return s.badf(name, "there are no tokens without -token-key-file")
	}
	if s.adminKeyFile != "" {
		if s.adminKey, err = s.readKey("admin-key-file", minPublishKey); err != nil {
			return err
		}
		if !fitsHeader(s.adminKey) {
			return usagef("%s: %s", s.named("admin-key-file"), noHeader)
		}
	}
	if s.tokenKeyFile != "" {
		key, err := s.readKey("token-key-file", token.MinKey)
		if err != nil {
			return err
		}
		s.tokenKey = token.Key(key)
	}
	return nil
}

// fitsHeader reports whether a key can be shown in a header at all.
func fitsHeader(key string) bool {
	return strings.TrimSpace(key) == key && !strings.ContainsFunc(key, unicode.IsControl)
}

const noHeader = "the key has several lines, a control character or space around it, which no header can show; expected one line"

// readKey returns the text of the file that a setting names, without the space
// around it.
func (s *settings) readKey(setting string, least int) (string, error) {
	path := s.flags.Lookup(setting).Value.String()
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.named(setting), err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 4097))
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.named(setting), err)
	}
	for mark, encoding := range map[string]string{"\xef\xbb\xbf": "UTF-8", "\xff\xfe": "UTF-16", "\xfe\xff": "UTF-16"} {
		if strings.HasPrefix(string(data), mark) { // an editor's, or a shell's, and part of the key for nobody else
			return "", usagef("%s %s: the key begins with a byte order mark (%s); expected the key alone", s.named(setting), path, encoding)
		}
	}
	key := strings.TrimSpace(string(data))
	if len(data) > 4096 || len(key) < least {
		return "", usagef("%s %s: expected a key of at least %d bytes, and at most 4096 bytes in all", s.named(setting), path, least)
	}
	return key, nil
}

// publishSum is what the publisher compares with; ok is false without a key.
func (s *settings) publishSum() (sum [sha256.Size]byte, ok bool) {
	return sha256.Sum256([]byte(s.publishKey)), s.publishKey != ""
}

// sockets are the options of every WebSocket connection.
func (s *settings) sockets() wsnet.ServerOptions {
	var compression *ws.Compression
	if s.compress {
		// Without contexts: a broadcast is compressed once for all.
		compression = &ws.Compression{}
	}
	return wsnet.ServerOptions{
		Options: wsnet.Options{
			Compression:  compression,
			MaxMessage:   s.maxMessage,
			PingInterval: cmp.Or(s.pingInterval, -1),
			PongTimeout:  s.pongTimeout,
			WriteTimeout: s.writeTimeout,
			PingRate:     cmp.Or(s.idleRate, -1),
		},
		OriginPatterns: s.origins,
		Hosts:          []string{"*"}, // ownHosts has looked
		MaxHeaderBytes: -1,            // gate.headers has looked
	}
}
