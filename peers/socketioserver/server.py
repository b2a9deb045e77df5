"""A Socket.IO server of python-socketio for the tests of our client:

    python server.py PORT

It says {"port": N} when it listens, and ends with its standard input.
"""

import asyncio
import json
import os
import sys
import threading

import socketio
from aiohttp import web

io = socketio.AsyncServer(async_mode="aiohttp", ping_interval=1, ping_timeout=5, cors_allowed_origins=[])
app = web.Application()
io.attach(app)


@io.event
async def connect(sid, environ, auth=None):
    await io.emit("welcome", sid, to=sid)


@io.event
async def say(sid, *args):
    await io.emit("said", args, to=sid)


@io.event
async def echo(sid, *args):
    return args


@io.on("ask me")
async def ask_me(sid, n):
    return await io.call("what", (n, bytes([1, 2, 3])), to=sid)


@io.event
async def join(sid, room):
    await io.enter_room(sid, room)


@io.event
async def tell(sid, room, text):
    await io.emit("told", text, room=room)


@io.on("disconnect me")
async def disconnect_me(sid):
    await io.disconnect(sid)


@io.on("connect", namespace="/secret")
async def connect_admin(sid, environ, auth=None):
    token = (auth or {}).get("token")
    if token != "secret":
        raise socketio.exceptions.ConnectionRefusedError("not you", {"token": token})


@io.on("who", namespace="/secret")
async def who(sid):
    return "admin"


async def main():
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]))
    await site.start()
    print(json.dumps({"port": site._server.sockets[0].getsockname()[1]}), flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    await asyncio.Event().wait()


asyncio.run(main())
