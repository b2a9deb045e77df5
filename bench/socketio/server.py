"""The chat room of a first tutorial on Flask-SocketIO, with its defaults:
server.py eventlet|gevent."""

import sys

kind = sys.argv[1]
if kind == "eventlet":
    import eventlet

    eventlet.monkey_patch()
else:
    from gevent import monkey

    monkey.patch_all()

from flask import Flask
from flask_socketio import SocketIO, send

app = Flask(__name__)
socketio = SocketIO(app, async_mode=kind)


@socketio.on("message")
def message(text):
    send(text, broadcast=True)


def ready(port):
    print(f"127.0.0.1:{port}", flush=True)


if kind == "eventlet":
    import eventlet.wsgi

    listener = eventlet.listen(("127.0.0.1", 0), backlog=4096)
    ready(listener.getsockname()[1])
    eventlet.wsgi.server(listener, app, log_output=False, max_size=5000)
else:
    from gevent.pywsgi import WSGIServer
    from geventwebsocket.handler import WebSocketHandler

    server = WSGIServer(("127.0.0.1", 0), app, handler_class=WebSocketHandler, log=None, backlog=4096)
    server.start()
    ready(server.server_port)
    server.serve_forever()
