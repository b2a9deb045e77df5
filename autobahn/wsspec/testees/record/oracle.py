"""Runs the Autobahn testsuite's own fuzzing client and server, many testees at a time.

Python 2.7, in the testsuite's environment. The argument is a JSON file:

    {"port": for the fuzzing server, "out": file for the verdicts,
     "jobs": [[agent, url, [case ids]], ...], "workers": how many jobs at a time,
     "cases": [case ids of the fuzzing server]}

The verdicts are made by the testsuite's code. This file starts it, keeps it from
ending after the first testee, and ends a case that would never end.
"""
import json
import sys

from twisted.internet import reactor

from autobahntestsuite import fuzzing

STUCK = 20  # seconds after which a case has no verdict

conf = json.load(open(sys.argv[1]))
verdicts = {"server": {}, "client": {}}


def note(role, agents):
    for agent, cases in agents.items():
        known = verdicts[role].setdefault(agent, {})
        for case, result in cases.items():
            known.setdefault(case, [result["behavior"], result["behaviorClose"]])


class Client(fuzzing.FuzzingClientFactory):
    """One testee's share of cases, one after the other."""

    proto = None
    stuck = None
    done = None

    def buildProtocol(self, addr):
        self.proto = fuzzing.FuzzingClientFactory.buildProtocol(self, addr)
        self.stuck = reactor.callLater(STUCK, self.giveUp)
        return self.proto

    def giveUp(self):
        agent = verdicts["server"].setdefault(self.agent, {})
        agent[self.currentCaseId] = ["STUCK", "STUCK"]
        self.proto.transport.abortConnection()

    def clientConnectionLost(self, connector, reason):
        if self.stuck.active():
            self.stuck.cancel()
        note("server", self.agents)
        self.agents, self.cases = {}, {}
        if self.nextCase():
            connector.connect()
        else:
            nextJob()

    def clientConnectionFailed(self, connector, reason):
        sys.stderr.write("%s: %s\n" % (self.agent, reason.getErrorMessage()))
        nextJob()


left = list(conf["jobs"])
running = [conf["workers"]]


def nextJob():
    if left:
        agent, url, cases = left.pop(0)
        sys.stderr.write("%d jobs left\n" % len(left))
        Client({"servers": [{"agent": str(agent), "url": str(url)}], "cases": [str(c) for c in cases],
                "exclude-cases": [], "exclude-agent-cases": {}})
    else:
        running[0] -= 1
        finish()


server = fuzzing.FuzzingServerFactory({
    "url": "ws://127.0.0.1:%d" % conf["port"], "cases": [str(c) for c in conf["cases"]],
    "exclude-cases": [], "exclude-agent-cases": {}})
stopped = []


def createReports(*args, **kwargs):
    """/updateReports: the clients are done."""
    stopped.append(True)
    reactor.callLater(1, finish)


server.createReports = createReports


def finish():
    if running[0] <= 0 and stopped and reactor.running:
        reactor.stop()


fuzzing.listenWS(server)
for _ in range(conf["workers"]):
    reactor.callWhenRunning(nextJob)
reactor.run()
note("client", server.agents)
json.dump(verdicts, open(conf["out"], "w"))
