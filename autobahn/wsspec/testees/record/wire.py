"""Writes what each case of the Autobahn testsuite sends, without running it.

Python 2.7, in the testsuite's environment. A recorder stands in for the connection; a
line has the case, the bytes that it sends as a server, the beginning of their SHA-1,
how they are written, and its timers in seconds: P a pause, K, C.
"""
import hashlib
import struct

from autobahn.websocket.protocol import WebSocketProtocol
from autobahntestsuite.case import Cases


class Recorder(object):
    state = WebSocketProtocol.STATE_OPEN
    autoFragmentSize = 0

    def __init__(self):
        self.sent, self.ways, self.timers, self.later = [], [], [], []

    def __getattr__(self, name):
        return getattr(WebSocketProtocol, name)

    def enableWirelog(self, on):
        pass

    def put(self, data, way="whole"):
        self.sent.append(data)
        if way not in self.ways:
            self.ways.append(way)

    def sendFrame(self, opcode, payload="", fin=True, rsv=0, payload_len=None, chopsize=None, sync=False):
        if payload_len is not None:
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        n = len(payload)
        head = chr((fin and 0x80) | rsv << 4 | opcode)
        if n < 126:
            head += chr(n)
        elif n < 1 << 16:
            head += chr(126) + struct.pack("!H", n)
        else:
            head += chr(127) + struct.pack("!Q", n)
        self.put(head + payload, "chop%d" % chopsize if chopsize else sync and "each" or "whole")

    def sendMessage(self, payload, isBinary=False, fragmentSize=None):
        opcode, size = 1 + isBinary, fragmentSize or self.autoFragmentSize
        if not size or len(payload) <= size:
            return self.sendFrame(opcode, payload)
        for at in range(0, len(payload) + 1, size):
            self.sendFrame(opcode if at == 0 else 0, payload[at:at + size], fin=at + size > len(payload))

    def sendCloseFrame(self, code=None, reasonUtf8=""):
        self.sendFrame(8, ("" if code is None else struct.pack("!H", code)) + reasonUtf8)

    def sendClose(self, code=None, reason=u""):
        self.sendCloseFrame(code, reason.encode("utf8"))

    def killAfter(self, seconds):
        self.timers.append("K%g" % seconds)

    def closeAfter(self, seconds):
        self.timers.append("C%g" % seconds)

    def continueLater(self, seconds, do, tag=None):
        self.timers.append("P%g" % seconds)
        self.later.append(do)

    def beginMessage(self):
        pass

    def beginMessageFrame(self, n):
        self.put(chr(1) + chr(n))

    def sendMessageFrameData(self, data):
        self.put(data)

    def endMessage(self):
        self.sendFrame(0)


print("# What the cases of the Autobahn testsuite 25.10.1 send, from a server.")
print("# Written by: go run ./autobahn/wsspec/testees/record -wire")
print("#")
print("# case bytes sha1 writes timers")
for case in Cases:
    number = case.__name__[4:].replace("_", ".")
    if number.split(".")[0] in ("12", "13"):
        continue
    recorder = Recorder()
    case(recorder).onOpen()
    while recorder.later:
        recorder.later.pop(0)()
    sent = "".join(recorder.sent)
    print("%s %d %s %s %s" % (number, len(sent), hashlib.sha1(sent).hexdigest()[:12],
                              "+".join(recorder.ways), "+".join(recorder.timers)))
