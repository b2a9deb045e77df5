"""The package websockets as a testee: serve | echo URL | client URL."""

import asyncio
import json
import logging
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import WebSocketException

logging.getLogger("websockets").setLevel(logging.CRITICAL)

OPTIONS = {"max_size": 64 << 20, "ping_interval": None}


async def echo(ws):
    try:
        async for message in ws:
            await ws.send(message)
    except WebSocketException:
        pass


async def once(url):
    try:
        async with connect(url, **OPTIONS) as ws:
            await echo(ws)
    except (OSError, WebSocketException):
        pass


async def play(base):
    async with connect(f"{base}/getCaseCount", **OPTIONS) as ws:
        count = json.loads(await ws.recv())
    for n in range(1, count + 1):
        await once(f"{base}/runCase?case={n}&agent=websockets")
    async with connect(f"{base}/updateReports?agent=websockets", **OPTIONS) as ws:
        await ws.wait_closed()


async def listen():
    async with serve(echo, "127.0.0.1", 0, **OPTIONS) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.get_running_loop().create_future()


what = sys.argv[1]
if what == "serve":
    asyncio.run(listen())
elif what == "echo":
    asyncio.run(once(sys.argv[2]))
else:
    asyncio.run(play(sys.argv[2]))
