"""Serves the pieces of a document that are programs for Flask-SocketIO, each below a
path of its own.

    python server.py < sections

sections is JSON: [{path, program}]. It says its port, as a line of JSON, and ends when
it is killed. Tests that a program has are run before. What a program prints goes to
standard error.
"""

import inspect
import json
import logging
import sys

import flask
import flask_socketio
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

PRELUDE = """
from flask import Flask, request, session
from flask_socketio import *
"""

BEGIN = """
app = Flask(__name__)
app.config["SECRET_KEY"] = "of a test"
socketio = SocketIO(app, async_mode="threading")
"""


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    mounts = {}
    out, sys.stdout = sys.stdout, sys.stderr
    for section in json.load(sys.stdin):
        program = section["program"]
        scope = {"__name__": "guide"}
        begin = "" if "SocketIO(" in program else BEGIN
        exec(PRELUDE + begin + program, scope)
        for name, test in list(scope.items()):
            if name.startswith("test_") and inspect.isfunction(test):
                test()
        mounts[section["path"].removesuffix("/socket.io/")] = scope["app"]
    server = make_server("127.0.0.1", 0, DispatcherMiddleware(flask.Flask("nothing"), mounts), threaded=True)
    print(json.dumps({"port": server.server_port}), file=out, flush=True)
    server.serve_forever()


main()
