// Tests of cmd/server/web/client.js without a browser: the WebSocket, the clock
// and chance are played here. TestClientModule runs them, beside a copy of it.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

const listeners = new Map();
globalThis.addEventListener = (type, f) => listeners.set(type, [...(listeners.get(type) ?? []), f]);
const happens = (type) => (listeners.get(type) ?? []).forEach((f) => f());

class FakeSocket {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];
  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    FakeSocket.all.push(this);
  }
  send(text) {
    assert.equal(this.readyState, 1, "sent on a socket that is not open");
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  says(...events) {
    for (const e of events) this.onmessage?.({ data: JSON.stringify(e) });
  }
  loses(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}
globalThis.WebSocket = FakeSocket;
const { Chat } = await import("./client.js");

const settle = () => new Promise((done) => setImmediate(done));
const you = { id: "p1", name: "Ada" };
const joined = (id, room, cursor, messages = [], recovered = false) =>
  ({ type: "joined", id, room, cursor, recovered, messages, members: [you], people: 1 });

// begin makes a client with fake time; what it tells is in told.
function begin(t, options = {}) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  FakeSocket.all = [];
  listeners.clear();
  const chat = new Chat("ws://x/ws", { name: "Ada", secret: "s", start: false, ...options });
  const told = [];
  for (const name of ["state", "delivery", "left", "error", "message", "joined", "private"]) chat.on(name, (e) => told.push([name, e]));
  return { chat, told, states: () => told.filter(([n]) => n === "state").map(([, e]) => e.state), socket: () => FakeSocket.all.at(-1) };
}

async function online(b) {
  if (FakeSocket.all.length === 0) b.chat.connect();
  b.socket().opens();
  await settle();
  b.socket().says({ type: "welcome", you, text: "Welcome" });
  await settle();
}

const asked = (socket, type) => socket.sent.filter((r) => r.type === type);

async function inRoom(b, room = "r", cursor = "e-1") {
  b.chat.join(room);
  await online(b);
  b.socket().says(joined(asked(b.socket(), "join")[0].id, room, cursor));
  await settle();
}

test("listeners that are added at once miss nothing", async (t) => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  const states = [];
  new Chat("ws://x/ws", { name: "Ada" }).on("state", (e) => states.push(e.state));
  await settle();
  assert.deepEqual(states, ["connecting"]);
});

test("delays double, are jittered and end at 20 s", async (t) => {
  const b = begin(t);
  b.chat.connect();
  for (let i = 0; i < 10; i++) {
    b.socket().loses();
    const { retryAt } = b.told.at(-1)[1];
    const ceiling = Math.min(20_000, 500 * 2 ** i);
    const delay = retryAt - Date.now();
    assert.ok(delay >= ceiling / 2 && delay <= ceiling, `try ${i}: ${delay} ms of ${ceiling}`);
    const before = FakeSocket.all.length;
    mock.timers.tick(Math.floor(delay) - 1);
    assert.equal(FakeSocket.all.length, before, "too early");
    mock.timers.tick(2);
    assert.equal(FakeSocket.all.length, before + 1, "too late");
  }
});

test("a restarting server's hint is kept, also when the network wakes up; the person may be earlier", async (t) => {
  const b = begin(t);
  await inRoom(b);
  b.socket().says({ type: "restart", retry: 8000 });
  b.socket().loses(1012);
  const delay = b.told.at(-1)[1].retryAt - Date.now();
  assert.ok(delay >= 8000 && delay <= 8800, `${delay} ms`);
  happens("online");
  assert.equal(FakeSocket.all.length, 1);
  b.chat.connect();
  assert.equal(FakeSocket.all.length, 2);
});

test("offline drops the connection at once, online tries at once", async (t) => {
  const b = begin(t);
  await inRoom(b);
  happens("offline");
  assert.equal(b.chat.state, "waiting");
  happens("online");
  assert.equal(b.chat.state, "connecting");
});

test("a connection that was quiet for long is asked whether it lives", async (t) => {
  const b = begin(t);
  await inRoom(b);
  happens("online");
  assert.equal(asked(b.socket(), "history").length, 0, "it has just spoken");
  mock.timers.tick(20_000);
  happens("online");
  assert.equal(asked(b.socket(), "history").length, 1);
  mock.timers.tick(10_000);
  assert.equal(b.chat.state, "waiting");
});

for (const [code, state] of [[1003, "stopped"], [1008, "stopped"], [4003, "stopped"], [4001, "refused"], [1000, "waiting"], [1001, "waiting"],
  [1006, "waiting"], [1009, "waiting"], [1011, "waiting"], [1012, "waiting"], [4008, "waiting"]]) {
  test(`after close code ${code} the client is ${state}`, async (t) => {
    const b = begin(t);
    await inRoom(b);
    b.socket().loses(code);
    assert.equal(b.chat.state, state);
  });
}

test("a refused name waits for another; too many sessions wait for time", async (t) => {
  for (const [code, state] of [["name-taken", "refused"], ["bad-token", "refused"], ["too-many-sessions", "waiting"], ["rate-limited", "waiting"]]) {
    const b = begin(t);
    b.chat.connect();
    b.socket().opens();
    await settle();
    b.socket().says({ type: "error", code, text: "no", ...(code === "rate-limited" && { retry: 3000 }) });
    assert.equal(b.chat.state, state, code);
    if (code === "rate-limited") assert.ok(b.told.at(-1)[1].retryAt - Date.now() >= 3000);
    mock.timers.reset();
  }
});

test("no acknowledgement: the connection is dead, and the same id goes out again", async (t) => {
  const b = begin(t);
  await inRoom(b);
  const id = b.chat.send("r", "hello");
  mock.timers.tick(10_000);
  assert.equal(b.chat.state, "waiting");
  mock.timers.tick(1000);
  await online(b);
  const [join] = asked(b.socket(), "join");
  assert.equal(join.since, "e-1");
  assert.equal(asked(b.socket(), "send").length, 0, "sent before the room was joined");
  b.socket().says(joined(join.id, "r", "e-1", [], true));
  assert.deepEqual(asked(b.socket(), "send"), [{ type: "send", room: "r", id, text: "hello" }]);
  b.socket().says({ type: "ack", id, room: "r", cursor: "e-2", time: "2026-01-02T03:04:05.678Z" });
  assert.deepEqual(b.told.filter(([n]) => n === "delivery").map(([, d]) => d.state), ["sending", "sent"]);
  assert.deepEqual(b.chat.outbox, []);
});

test("rate-limited sends wait, all of them, and keep their order", async (t) => {
  const b = begin(t);
  await inRoom(b);
  const ids = Array.from({ length: 40 }, (_, i) => b.chat.send("r", `m${i}`));
  const out = () => asked(b.socket(), "send").map((r) => r.id);
  assert.deepEqual(out(), ids.slice(0, 16), "more under way than the window");
  for (const id of ids.slice(0, 16)) b.socket().says({ type: "error", id, code: "rate-limited", text: "wait", retry: 500 });
  assert.equal(out().length, 16, "did not wait");
  mock.timers.tick(499);
  assert.equal(out().length, 16, "did not wait long enough");
  mock.timers.tick(2);
  assert.deepEqual(out().slice(16), ids.slice(0, 16));
  for (const id of ids) b.socket().says({ type: "ack", id, room: "r" });
  assert.deepEqual(out().slice(32), ids.slice(16));
  assert.equal(b.told.filter(([n, d]) => n === "delivery" && d.state === "failed").length, 0);
});

test("what is refused fails, and can be sent again or discarded", async (t) => {
  const b = begin(t);
  await inRoom(b);
  const id = b.chat.send("r", "hello");
  b.socket().says({ type: "error", id, code: "muted", text: "not now", retry: 60_000 });
  assert.deepEqual(b.chat.outbox.map((m) => [m.state, m.reason]), [["failed", "not now"]]);
  b.chat.retry(id);
  assert.equal(asked(b.socket(), "send").length, 2);
  b.socket().says({ type: "error", id, code: "muted", text: "not now" });
  b.chat.discard(id);
  assert.deepEqual(b.chat.outbox, []);
});

test("a message that closes with 1009 is not sent again by itself", async (t) => {
  const b = begin(t);
  await inRoom(b);
  b.chat.send("r", "too long");
  b.socket().loses(1009);
  assert.equal(b.chat.outbox[0].state, "failed");
});

test("what waits is kept in the storage, up to a bound, and sent after a reload", async (t) => {
  const kept = new Map();
  const storage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };
  const b = begin(t, { storage });
  const ids = Array.from({ length: 201 }, (_, i) => b.chat.send("r", `m${i}`));
  assert.equal(ids.indexOf(null), 200);
  assert.equal(b.chat.send("r", "x".repeat(600_000)), null);
  mock.timers.reset();

  const c = begin(t, { storage });
  assert.deepEqual(c.chat.rooms, ["r"]);
  assert.deepEqual(c.chat.outbox.map((m) => m.id), ids.slice(0, 200));
  await inRoom(c);
  for (const id of ids.slice(0, 200)) c.socket().says({ type: "ack", id, room: "r" });
  assert.deepEqual(asked(c.socket(), "send").map((r) => r.id), ids.slice(0, 200));
  assert.equal(kept.size, 0);

  for (const junk of ["", "null", "{", "[1]", '[{"id":7}]', '{"a":1}', '[{"id":"a","text":"","time":"x","room":"r","state":"sending"}]']) {
    mock.timers.reset();
    kept.set("framewright outbox", junk);
    assert.deepEqual(begin(t, { storage }).chat.outbox, [], junk);
  }
  mock.timers.reset();
  const forbidden = { getItem() { throw new Error("no"); }, setItem() { throw new Error("no"); }, removeItem() { throw new Error("no"); } };
  assert.ok(begin(t, { storage: forbidden }).chat.send("r", "still works"));
});

test("history has its answer, waits when it must, and fails with the connection", async (t) => {
  const b = begin(t);
  await inRoom(b);
  const one = b.chat.history("r", { before: "e-1", limit: 5 });
  const [request] = asked(b.socket(), "history");
  assert.deepEqual({ ...request, id: 0 }, { type: "history", room: "r", before: "e-1", limit: 5, id: 0 });
  b.socket().says({ type: "error", id: request.id, code: "rate-limited", text: "wait", retry: 1000 });
  mock.timers.tick(1100);
  assert.equal(asked(b.socket(), "history").length, 2);
  b.socket().says({ type: "history", id: request.id, room: "r", more: true, messages: [{ cursor: "e-0", time: "t", from: you, id: "a", text: "x" }] });
  assert.deepEqual(await one, { more: true, messages: [{ cursor: "e-0", time: "t", from: you, id: "a", text: "x", room: "r", mine: true }] });
  const two = b.chat.history("r");
  b.socket().loses();
  await assert.rejects(two, { code: "lost" });
  await assert.rejects(b.chat.history("r"), { code: "lost" });
});

test("out of a room: refused, or taken out", async (t) => {
  const b = begin(t);
  await inRoom(b);
  b.chat.join("x".repeat(40));
  b.socket().says({ type: "error", id: asked(b.socket(), "join").at(-1).id, code: "bad-room", text: "too long" });
  await settle();
  b.socket().says({ type: "left", room: "r", reason: "enough" });
  assert.deepEqual(b.told.filter(([n]) => n === "left").map(([, e]) => e.reason), ["too long", "enough"]);
  assert.deepEqual(b.chat.rooms, []);
  b.socket().loses();
  b.chat.connect();
  await online(b);
  assert.equal(asked(b.socket(), "join").length, 0);
});

test("a room that was left while its join had to wait is not joined", async (t) => {
  const b = begin(t);
  b.chat.join("r");
  await online(b);
  const [join] = asked(b.socket(), "join");
  b.socket().says({ type: "error", id: join.id, code: "rate-limited", text: "slowly", retry: 1000 });
  b.chat.leave("r");
  mock.timers.tick(2000);
  await settle();
  assert.equal(asked(b.socket(), "join").length, 1);
});

test("what a room says between leaving and joining it again is not from the new stay", async (t) => {
  const b = begin(t);
  await inRoom(b);
  b.chat.leave("r");
  b.chat.join("r");
  b.socket().says({ type: "message", room: "r", cursor: "e-2", time: new Date().toISOString(), from: { id: "p2", name: "Bob" }, id: "b1", text: "on its way" });
  assert.deepEqual(b.told.filter(([n]) => n === "message"), []);
  b.socket().loses();
  mock.timers.tick(60_000);
  await online(b);
  assert.equal(asked(b.socket(), "join")[0].since, undefined);
});

test("tokens are fetched for every hello, and refreshed before they expire", async (t) => {
  let n = 0;
  const b = begin(t, { token: async () => `token ${++n}` });
  b.chat.connect();
  b.socket().opens();
  await settle();
  assert.equal(b.socket().sent[0].token, "token 1");
  b.socket().says({ type: "welcome", you, text: "", expires: new Date(Date.now() + 600_000).toISOString() });
  mock.timers.tick(569_000);
  await settle();
  assert.equal(asked(b.socket(), "refresh").length, 0);
  mock.timers.tick(2000);
  await settle();
  assert.equal(asked(b.socket(), "refresh")[0].token, "token 2");
  b.socket().loses(4001);
  assert.equal(b.chat.state, "waiting");
});

test("a listener that throws costs nothing", async (t) => {
  const b = begin(t);
  mock.method(console, "error", () => {});
  t.after(() => mock.restoreAll());
  b.chat.on("joined", () => { throw new Error("mine"); });
  await inRoom(b);
  assert.ok(b.chat.send("r", "hello"));
  assert.equal(asked(b.socket(), "send").length, 1);
});

// A server that keeps what it has acknowledged, behind a line that is cut
// anywhere: whatever happens, at the end everybody has everything, in the room's
// order, once.
class Model {
  messages = []; // of the one room
  lines = new Map(); // socket → { in, out }
  n = 0;
  post(from, id, text) {
    const old = this.messages.find((m) => m.from.id === from.id && m.id === id);
    if (old) return old;
    const m = { cursor: `e-${++this.n}`, time: "2026-01-02T03:04:05.678Z", from, id, text };
    this.messages.push(m);
    for (const l of this.lines.values()) if (l.here) l.out.push({ type: "message", room: "r", ...m });
    return m;
  }
  takes(l, r) {
    const answer = (e) => l.out.push({ ...(r.id && { id: r.id }), ...e });
    if (r.type === "hello") return answer({ type: "welcome", you, text: "" });
    if (r.type === "join") {
      l.here = true;
      const at = r.since === undefined ? 0 : Number(r.since.slice(2));
      return answer(joined(r.id, "r", `e-${this.n}`, this.messages.slice(at), r.since !== undefined));
    }
    if (r.type !== "send") return undefined;
    if (!l.here) return answer({ type: "error", code: "not-joined", text: "join first" });
    if (Math.random() < 0.05) return answer({ type: "error", code: "rate-limited", text: "wait", retry: 300 });
    const m = this.post(you, r.id, r.text);
    return answer({ type: "ack", room: "r", cursor: m.cursor, time: m.time });
  }
}

test("nothing is lost, doubled or out of order, wherever the line is cut", async (t) => {
  const rounds = Number(process.env.ROUNDS ?? 300);
  for (let round = 0; round < rounds; round++) {
    const model = new Model();
    const b = begin(t);
    const seen = [];
    const delivery = new Map();
    b.chat.on("joined", (e) => seen.push(...e.messages.map((m) => m.text)));
    b.chat.on("message", (m) => seen.push(m.text));
    b.chat.on("delivery", (d) => delivery.set(d.id, d.state));
    b.chat.join("r");
    b.chat.connect();
    let written = 0;
    const step = async (chaos) => {
      const s = b.socket();
      if (s.readyState === 0) {
        if (chaos && Math.random() < 0.2) s.loses();
        else s.opens();
        await settle();
        return;
      }
      if (s.readyState === 3) {
        mock.timers.tick(1000);
        return;
      }
      if (!model.lines.has(s)) model.lines.set(s, { taken: 0, out: [], here: false });
      const l = model.lines.get(s);
      const chance = Math.random();
      if (chaos && chance < 0.04) {
        s.loses(Math.random() < 0.5 ? 1006 : 1012);
        model.lines.delete(s);
      } else if (chance < 0.5 && l.taken < s.sent.length) {
        model.takes(l, s.sent[l.taken++]);
      } else if (l.out.length > 0) {
        s.says(l.out.shift());
        await settle();
      } else {
        mock.timers.tick(200);
      }
    };
    for (let i = 0; i < 150; i++) {
      if (Math.random() < 0.1) b.chat.send("r", `mine ${written++}`);
      if (Math.random() < 0.1) model.post({ id: "p2", name: "Grace" }, `g${i}`, `other ${i}`);
      await step(true);
    }
    for (let i = 0; i < 5000 && (b.chat.outbox.length > 0 || b.chat.state !== "online" || seen.length < model.messages.length); i++) await step(false);
    assert.deepEqual(seen, model.messages.map((m) => m.text), `round ${round}`);
    assert.deepEqual([...delivery.values()].filter((s) => s !== "sent"), [], `round ${round}`);
    assert.equal(seen.filter((s) => s.startsWith("mine")).length, written, `round ${round}`);
    mock.timers.reset();
  }
});
