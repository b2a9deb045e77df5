"""A WebSocket peer that is driven by lines of JSON: commands on standard input,
answers and events on standard output. It speaks for the package websockets.

Every command has an "n"; its answer is {"n": ...} with what it asked for, or
with "error". Everything else on standard output is an event of the connection
that its "conn" names.
"""

import asyncio
import hashlib
import json
import logging
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

logging.getLogger("websockets").setLevel(logging.CRITICAL)

conns = {}
servers = {}
tasks = set()
last = 0

PATTERN = {
    "text": bytes(0x20 + i for i in range(95)),
    "binary": bytes(range(251)),
}


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def name(letter):
    global last
    last += 1
    return f"{letter}{last}"


def payload(kind, part):
    """The bytes that a part describes."""
    if "fill" in part:
        pattern = PATTERN[kind]
        return (pattern * (part["fill"] // len(pattern) + 1))[: part["fill"]]
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    return part.get("text", "").encode()


def background(coroutine):
    """Start a task and keep it from being collected."""
    task = asyncio.create_task(coroutine)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def watch(conn, ws):
    """Report what comes, until the connection is over."""
    try:
        while True:
            data = await ws.recv()
            kind = "text" if isinstance(data, str) else "binary"
            raw = data.encode() if kind == "text" else data
            say(
                conn=conn,
                event="message",
                kind=kind,
                size=len(raw),
                sha256=hashlib.sha256(raw).hexdigest(),
                head=raw[:16].hex(),
            )
    except ConnectionClosed as e:
        # The frame that came counts; without one, what this end decided.
        frame = e.rcvd
        say(
            conn=conn,
            event="closed",
            code=frame.code if frame else 1006,
            reason=frame.reason if frame else "",
            error=str(e),
        )
    finally:
        conns.pop(conn, None)


async def ping(conn, ws, data):
    """Send a ping and report its pong."""
    answered = await ws.ping(data)

    async def report():
        try:
            await answered
        except ConnectionClosed:
            return
        say(conn=conn, event="pong", data=data)

    background(report())


async def act(conn, ws, action):
    match action["do"]:
        case "send":
            kind = action["kind"]
            parts = [payload(kind, p) for p in action["parts"]]
            text = kind == "text"
            if len(parts) == 1:
                await ws.send(parts[0], text=text)
                return

            async def fragments():
                for i, part in enumerate(parts):
                    if i > 0 and action.get("pings"):
                        await ping(conn, ws, f"inside {i}")
                    yield part

            await ws.send(fragments(), text=text)
        case "ping":
            await ping(conn, ws, action.get("data", ""))
        case "close":
            await ws.close(action["code"], action.get("reason", ""))
        case "abort":
            ws.transport.abort()
        case unknown:
            raise ValueError(f"unknown action {unknown}")


def deflate(args, factory):
    """The factories of permessage-deflate, one or none."""
    d = args.get("deflate")
    if d is None:
        return []
    return [
        factory(
            server_no_context_takeover=not d["serverContext"],
            client_no_context_takeover=not d["clientContext"],
            server_max_window_bits=d.get("serverBits"),
            client_max_window_bits=d.get("clientBits", factory is ClientPerMessageDeflateFactory or None),
        )
    ]


def agreed(ws):
    """What the handshake settled on, as a header would say it."""
    return ", ".join(f"{e.name} {e!r}" for e in ws.protocol.extensions)


def options(args, factory):
    return dict(
        extensions=deflate(args, factory),
        subprotocols=args.get("protocols") or None,
        max_size=args["limit"],
        max_queue=None,
        compression=None,
        ping_interval=None,
    )


async def listen(args):
    server = name("s")

    async def handler(ws):
        conn = name("c")
        conns[conn] = ws
        if args.get("greeting"):
            await act(conn, ws, args["greeting"])
        say(server=server, conn=conn, event="open", protocol=ws.subprotocol or "", extensions=agreed(ws))
        await watch(conn, ws)

    tls = None
    if args.get("cert"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(args["cert"], args["key"])
    s = await serve(handler, "127.0.0.1", 0, ssl=tls, **options(args, ServerPerMessageDeflateFactory))
    servers[server] = s
    return {"server": server, "port": s.sockets[0].getsockname()[1]}


async def dial(args):
    tls = None
    if args.get("cert"):
        tls = ssl.create_default_context(cafile=args["cert"])
    ws = await connect(args["url"], ssl=tls, proxy=None, **options(args, ClientPerMessageDeflateFactory))
    conn = name("c")
    conns[conn] = ws
    background(watch(conn, ws))
    return {"conn": conn, "protocol": ws.subprotocol or "", "extensions": agreed(ws)}


async def perform(args):
    ws = conns.get(args["conn"])
    if ws is None:
        raise ValueError("the connection is closed")
    await act(args["conn"], ws, args["action"])
    return {}


async def drop(args):
    """Take away whatever is left of it."""
    ws = conns.get(args.get("conn"))
    if ws is not None:
        ws.transport.abort()
    server = servers.pop(args.get("server"), None)
    if server is not None:
        for ws in list(server.connections):
            ws.transport.abort()
        server.close()
    return {}


COMMANDS = {"listen": listen, "dial": dial, "act": perform, "drop": drop}


async def answer(line):
    args = json.loads(line)
    try:
        say(n=args["n"], **await COMMANDS[args["command"]](args))
    except Exception as e:
        say(n=args["n"], error=f"{type(e).__name__}: {e}")


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        background(answer(line))


asyncio.run(main())
