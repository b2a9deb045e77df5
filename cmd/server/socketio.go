package main

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"framewright/chat/sio"
	"framewright/engineio"
	"framewright/socketio"
)

// lobby is the room in which the native page begins, and in which clients of
// Socket.IO are.
const lobby = "lobby"

// socketIO makes the Socket.IO server of an app whose hub is there.
func (a *app) socketIO() (*socketio.Server, error) {
	o := &socketio.Options{
		Engine: engineio.Options{
			OriginPatterns:        a.set.origins,
			MaxPayload:            int(a.set.maxMessage),
			QueueBytes:            a.set.queue,
			MaxSessions:           cmp.Or(a.set.maxConns, -1),
			MaxSessionsPerAddress: cmp.Or(a.set.maxPerAddress, -1),
			ByteRate:              cmp.Or(a.set.byteRate, -1),
			AddressByteRate:       cmp.Or(a.set.addressByteRate, -1),
			IdleRate:              cmp.Or(a.set.idleRate, -1),
			Address:               func(r *http.Request) string { return a.gate.countKey(r) },
			Remote:                func(r *http.Request) string { return remote(a.gate.proxies.client(r)) },
			Connect:               a.gate.withClient, // and with what the request's context knows
			// A client that polls asks again at once; one that does not is
			// not to hold up a drain.
			CloseTimeout: max(min(5*time.Second, a.set.drain/2), time.Millisecond),
		},
		ConnectTimeout: a.set.helloTimeout,
		MaxMessage:     int(a.set.maxMessage),
		PacketRate:     cmp.Or(a.set.packetRate, -1),
		ByteRate:       -1, // the layer below counts
		IdleRate:       cmp.Or(5*a.set.idleRate, -1),
		Recovery:       &socketio.Recovery{Want: sio.WantsRecovery},
		Logger:         a.log,
	}
	o.Engine.WebSocket.Trace = a.tracer.hook()
	if a.lab != nil {
		o.Engine.WebSocket.TraceTarget = a.lab.Trace
	}
	o.Engine.WebSocket.WriteTimeout = a.set.writeTimeout
	o.Engine.WebSocket.PingRate = cmp.Or(a.set.idleRate, -1)
	o.Engine.WebSocket.Hosts = []string{"*"} // ownHosts has looked
	o.Engine.WebSocket.MaxHeaderBytes = -1   // gate.headers has looked

	if !a.set.inMemory { // a history that is gone has nothing to go on with
		key, err := ticketKey(a.set.data)
		if err != nil {
			return nil, err
		}
		tickets, err := sio.NewTickets(key)
		if err != nil {
			return nil, err
		}
		o.Recovery.Seal, o.Recovery.Open = tickets.Seal, tickets.Open
	}
	io, err := socketio.New(o)
	if err != nil {
		return nil, err
	}
	sio.Attach(a.hub, io.Namespace, &sio.Options{
		Room:         lobby,
		Values:       a.set.web != "", // the page is somebody's own, and so is what it sends
		Secret:       guestSecret,
		FlushTimeout: max(min(3*time.Second, a.set.drain/4), 1),
		Address:      func(ctx context.Context, _ *socketio.Socket) string { return limitKey(clientOf(ctx).addr) },
	})
	return io, a.instrument(io)
}
