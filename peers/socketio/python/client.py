"""A Socket.IO client that is driven by lines of JSON, as ../driver.js is: see
there for the commands and the values.

    python client.py sync|async
"""

import asyncio
import json
import sys
import threading

import engineio.payload
import socketio

# By itself this client gives up a server that answers a poll with more than 16
# packets, as any does that has so many to send.
engineio.payload.Payload.max_decode_packets = 10_000

lock = threading.Lock()


def say(line):
    with lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def fnv(data):
    h = 0x811C9DC5
    for b in data:
        h = (h ^ b) * 0x01000193 & 0xFFFFFFFF
    return h


def into(v):
    if isinstance(v, list):
        return [into(e) for e in v]
    if not isinstance(v, dict):
        return v
    if "hex" in v:
        return bytes.fromhex(v["hex"])
    if "fill" in v:
        return bytes(i % 251 for i in range(v["fill"]))
    if "letters" in v:
        return "".join(chr(97 + i % 26) for i in range(v["letters"]))
    return {k: into(e) for k, e in v.items()}


def out(v):
    if isinstance(v, (bytes, bytearray)):
        return {"hex": v.hex()} if len(v) <= 64 else {"size": len(v), "sum": fnv(v)}
    if isinstance(v, str) and len(v) > 200:
        data = v.encode()
        return {"size": len(data), "sum": fnv(data), "text": True}
    if isinstance(v, (list, tuple)):
        return [out(e) for e in v]
    if isinstance(v, dict):
        return {k: out(e) for k, e in v.items()}
    return v


def several(args):
    """What emit takes for so many arguments: a tuple, or nothing at all."""
    return tuple(into(a) for a in args) if args else None


def answers(result):
    if result is None:
        return []
    return [out(e) for e in result] if isinstance(result, tuple) else [out(result)]


OPTIONS = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2, "randomization_factor": 0}


def reporter(conn):
    def connect_error(data=None):
        data = data or {}
        more = data.get("data") if isinstance(data, dict) else None
        message = data.get("message") if isinstance(data, dict) else str(data)
        say({"conn": conn, "event": "connect_error", "reason": message, "args": [] if more is None else [out(more)]})

    def received(name, *args):
        say({"conn": conn, "event": "received", "name": name, "args": [out(a) for a in args]})
        return tuple(args)

    def disconnect(reason):
        say({"conn": conn, "event": "disconnect", "reason": reason})

    return connect_error, received, disconnect


class Sync:
    def __init__(self):
        self.sockets = {}

    def open(self, c):
        conn, ns = c["conn"], c["namespace"]
        s = socketio.Client(**OPTIONS)
        self.sockets[conn] = (s, ns)
        connect_error, received, disconnect = reporter(conn)
        s.on("connect", lambda: say({"conn": conn, "event": "connect", "sid": s.get_sid(ns)}), namespace=ns)
        s.on("connect_error", connect_error, namespace=ns)
        s.on("disconnect", disconnect, namespace=ns)
        s.on("*", received, namespace=ns)
        s.connect(c["url"], namespaces=[ns], transports=c.get("transports"), auth=c.get("auth"), wait=False, retry=True)
        return {}

    def act(self, c):
        if c["command"] == "open":
            return self.open(c)
        s, ns = self.sockets[c["conn"]]
        match c["command"]:
            case "emit":
                s.emit(c["name"], several(c["args"]), namespace=ns)
            case "call":
                return {"args": answers(s.call(c["name"], several(c["args"]), namespace=ns))}
            case "count":
                for i in range(c["n_events"]):
                    s.emit(c["name"], i, namespace=ns)
            case "transport":
                return {"args": [s.transport()]}
            case "close":
                s.disconnect()
            case other:
                raise ValueError(other)
        return {}

    def run(self):
        def one(c):
            try:
                say({"n": c["n"]} | self.act(c))
            except Exception as e:
                say({"n": c["n"], "error": repr(e)})

        for line in sys.stdin:
            # A call waits for its answer, and others for nobody.
            threading.Thread(target=one, args=(json.loads(line),), daemon=True).start()


class Async:
    def __init__(self):
        self.sockets = {}

    async def open(self, c):
        conn, ns = c["conn"], c["namespace"]
        s = socketio.AsyncClient(**OPTIONS)
        self.sockets[conn] = (s, ns)
        connect_error, received, disconnect = reporter(conn)

        async def connected():
            say({"conn": conn, "event": "connect", "sid": s.get_sid(ns)})

        s.on("connect", connected, namespace=ns)
        s.on("connect_error", connect_error, namespace=ns)
        s.on("disconnect", disconnect, namespace=ns)
        s.on("*", received, namespace=ns)
        await s.connect(c["url"], namespaces=[ns], transports=c.get("transports"), auth=c.get("auth"), wait=False, retry=True)
        return {}

    async def act(self, c):
        if c["command"] == "open":
            return await self.open(c)
        s, ns = self.sockets[c["conn"]]
        match c["command"]:
            case "emit":
                await s.emit(c["name"], several(c["args"]), namespace=ns)
            case "call":
                return {"args": answers(await s.call(c["name"], several(c["args"]), namespace=ns))}
            case "count":
                for i in range(c["n_events"]):
                    await s.emit(c["name"], i, namespace=ns)
            case "transport":
                return {"args": [s.transport()]}
            case "close":
                await s.disconnect()
            case other:
                raise ValueError(other)
        return {}

    def run(self):
        async def one(c):
            try:
                say({"n": c["n"]} | await self.act(c))
            except Exception as e:
                say({"n": c["n"], "error": repr(e)})

        async def main():
            loop = asyncio.get_running_loop()
            running = set()
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                task = asyncio.create_task(one(json.loads(line)))
                running.add(task)
                task.add_done_callback(running.discard)

        asyncio.run(main())


{"sync": Sync, "async": Async}[sys.argv[1]]().run()
