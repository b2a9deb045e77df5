// Tests of cmd/server/web/client.js and what it is made of without a browser: the
// WebSocket, the clock and chance are played here. TestClientModule runs them,
// beside a copy of it.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

const listeners = new Map(); // type → functions
globalThis.addEventListener = (type, f, { signal } = {}) => {
  listeners.set(type, [...(listeners.get(type) ?? []), f]);
  signal?.addEventListener("abort", () => listeners.set(type, (listeners.get(type) ?? []).filter((g) => g !== f)));
};
const happens = (type) => (listeners.get(type) ?? []).forEach((f) => f());
const listening = () => [...listeners].flatMap(([type, all]) => all.map(() => type)).sort();
// The monotonic clock, beside Date, which can be set and knows of sleep.
let slept = 0;
Object.defineProperty(globalThis, "performance", { value: { now: () => Date.now() - slept } });
const page = { hidden: false, addEventListener: globalThis.addEventListener };
globalThis.document = page;

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
  slept = 0;
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

// countTimers returns a function that says how many are waiting.
function countTimers() {
  const waiting = new Set();
  const { setTimeout: set, clearTimeout: clear } = globalThis; // the played ones, until they are reset
  globalThis.setTimeout = (f, ms) => {
    const timer = set(() => {
      waiting.delete(timer);
      f();
    }, ms);
    waiting.add(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    waiting.delete(timer);
    clear(timer);
  };
  return () => waiting.size;
}

const LISTENED = ["offline", "online", "pageshow", "resume", "visibilitychange"];

for (const [what, reach] of Object.entries({
  "before it was ever connected": () => {},
  "while it connects": (b) => b.chat.connect(),
  "while it waits for the next try": (b) => {
    b.chat.connect();
    b.socket().loses();
  },
  "while it has everything under way": async (b) => {
    await inRoom(b);
    b.socket().says({ type: "refreshed", expiresIn: 600_000 });
    b.chat.join("later");
    b.socket().says({ type: "error", id: asked(b.socket(), "join").at(-1).id, code: "unavailable", text: "not now", retry: 5000 });
    b.chat.join("limited");
    b.socket().says({ type: "error", id: asked(b.socket(), "join").at(-1).id, code: "rate-limited", text: "slowly", retry: 5000 });
    b.chat.history("r").catch(() => {});
    b.chat.send("r", "on its way");
    const held = b.chat.sendPrivate(you, "held");
    b.socket().says({ type: "error", id: held, code: "rate-limited", text: "slowly", retry: 5000 });
    mock.timers.tick(1500);
    happens("online");
    assert.equal(pings(b), 1);
    await settle();
  },
})) {
  test(`a client that is closed ${what} leaves no listener and no timer behind`, async (t) => {
    const b = begin(t, { token: async () => "a token" });
    const waiting = countTimers();
    await reach(b);
    const connected = b.chat.state !== "stopped";
    assert.deepEqual(listening(), connected ? LISTENED : []);
    if (connected) assert.ok(waiting() > 0);
    b.chat.close();
    await settle();
    assert.deepEqual(listening(), []);
    assert.equal(waiting(), 0);
    const before = FakeSocket.all.length;
    for (const type of LISTENED) happens(type);
    mock.timers.tick(600_000);
    await settle();
    assert.equal(FakeSocket.all.length, before);
    assert.equal(b.chat.state, "stopped");
    b.chat.connect(); // and it can be had again
    b.chat.connect();
    assert.deepEqual(listening(), LISTENED, "each of them once");
  });
}

test("a client that will not come back by itself listens to nothing either", async (t) => {
  const b = begin(t);
  const waiting = countTimers();
  await inRoom(b);
  b.socket().loses(4003);
  assert.deepEqual([b.chat.state, listening(), waiting()], ["stopped", [], 0]);
  b.chat.connect();
  b.socket().opens();
  await settle();
  b.socket().says({ type: "error", code: "name-taken", text: "somebody else has it" });
  assert.deepEqual([b.chat.state, listening(), waiting()], ["refused", [], 0]);
  b.chat.rename("Grace");
  assert.deepEqual([b.chat.state, listening()], ["connecting", LISTENED]);
});

test("who closes because of what it is told stays closed", async (t) => {
  const b = begin(t);
  const waiting = countTimers();
  await inRoom(b);
  b.chat.on("delivery", (d) => d.state === "failed" && b.chat.close());
  b.chat.send("r", "too long");
  b.socket().loses(1009);
  assert.deepEqual([b.chat.state, listening(), waiting()], ["stopped", [], 0]);
  b.chat.on("state", (e) => e.state === "connecting" && b.chat.close());
  b.chat.connect();
  assert.deepEqual([b.chat.state, listening(), waiting()], ["stopped", [], 0]);
});

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
    const { retryIn: delay } = b.told.at(-1)[1];
    const ceiling = Math.min(20_000, 500 * 2 ** i);
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
  const delay = b.told.at(-1)[1].retryIn;
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

const pings = (b) => asked(b.socket(), "ping").length;
const passes = (ms) => { // in steps, as timers would see it
  for (let left = ms; left > 0; left -= 500) mock.timers.tick(Math.min(left, 500));
};

test("a browser that says again and again that the network is there makes nobody try without end", async (t) => {
  const b = begin(t);
  b.chat.connect();
  b.socket().loses();
  const before = FakeSocket.all.length;
  for (let i = 0; i < 200; i++) { // 10 s
    happens("online");
    if (b.chat.state === "connecting") b.socket().loses();
    mock.timers.tick(50);
    if (b.chat.state === "connecting") b.socket().loses();
  }
  const tries = FakeSocket.all.length - before;
  assert.ok(tries >= 8 && tries <= 12, `${tries} tries in 10 s`);
});

for (const [what, half] of Object.entries({ high: "\ud83d", low: "\udc4b", swapped: "\udc4b\ud83d" })) {
  test(`half of a surrogate pair, ${what}, does not go out, and is not lost`, async (t) => {
    const kept = new Map();
    const storage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };
    const b = begin(t, { storage });
    await inRoom(b);
    const sent = b.socket().sent.length;
    const id = b.chat.send("r", `x${half}y`);
    b.chat.sendPrivate(you, half);
    b.chat.retry(id);
    b.chat.join(`r${half}`);
    b.chat.send(`r${half}`, "text");
    assert.equal(b.socket().sent.length, sent);
    assert.deepEqual(b.chat.outbox.map((m) => [m.text, m.state]), [[`x${half}y`, "failed"], [half, "failed"], ["text", "failed"]]);
    assert.match(b.chat.outbox[0].reason, /half of a character/);
    assert.deepEqual(b.chat.rooms, ["r"]);
    assert.equal(b.told.filter(([n]) => n === "left").length, 2);
    // What an older page has kept, too.
    storage.setItem("framewright outbox", JSON.stringify(b.chat.outbox.map((m) => ({ ...m, state: "sending", reason: undefined }))));
    const again = new Chat("ws://x/ws", { name: "Ada", secret: "s", start: false, storage });
    assert.deepEqual(again.outbox.map((m) => m.state), ["failed", "failed", "failed"]);
    // As a name it is refused, as the server would.
    b.chat.rename(`Ada${half}`);
    assert.equal(b.chat.state, "refused");
    b.chat.rename("Ada 👋");
    assert.equal(b.chat.state, "connecting");
  });
}

test("a connection that died without a word is noticed within half a minute", async (t) => {
  const b = begin(t);
  await inRoom(b);
  let ms = 0;
  for (; b.chat.state === "online" && ms < 60_000; ms += 500) mock.timers.tick(500);
  assert.ok(ms <= 30_000, `after ${ms} ms`);
  assert.equal(pings(b), 1);
  assert.deepEqual([b.chat.state, b.told.at(-1)[1].reason], ["waiting", "no answer"]);
});

test("silence is asked about, and any answer will do", async (t) => {
  const b = begin(t);
  await inRoom(b);
  const answers = [{ type: "pong", time: "2026-01-02T03:04:05.678Z" }, { type: "error", code: "rate-limited", text: "slowly", retry: 5 }, { type: "notice", text: "x" }];
  for (let i = 0; i < 30; i++) {
    passes(20_000);
    assert.equal(pings(b), i + 1, "once in 20 s");
    b.socket().says(answers[i % 3]);
  }
  assert.equal(b.chat.state, "online");
  assert.deepEqual(b.told.filter(([n]) => n === "error"), []);
  for (let i = 0; i < 30; i++) {
    passes(10_000);
    b.socket().says({ type: "notice", text: "x" });
  }
  assert.equal(pings(b), 30, "who hears does not ask");
});

for (const event of ["online", "pageshow", "visibilitychange", "resume"]) {
  test(`${event} asks at once whether the connection lives, and once`, async (t) => {
    const b = begin(t);
    await inRoom(b);
    happens(event);
    assert.equal(pings(b), 0, "it has just spoken");
    mock.timers.tick(1500);
    for (let i = 0; i < 100; i++) happens(event);
    assert.equal(pings(b), 1);
    passes(7500);
    assert.equal(b.chat.state, "online");
    mock.timers.tick(1000);
    assert.equal(b.chat.state, "waiting");
  });
}

test("who has slept asks as soon as it wakes, whichever clock saw it", async (t) => {
  for (const monotonicToo of [false, true]) {
    const b = begin(t);
    await inRoom(b);
    mock.timers.tick(1000);
    const before = Date.now();
    mock.timers.setTime(before + 3_600_000); // and no timer has run
    if (!monotonicToo) slept += 3_600_000;
    assert.equal(pings(b), 0);
    passes(3000);
    assert.equal(pings(b), 1, `monotonic clock too: ${monotonicToo}`);
    b.socket().says({ type: "pong", time: "2026-01-02T03:04:05.678Z" });
    passes(15_000);
    assert.equal(b.chat.state, "online");
    mock.timers.reset();
    slept = 0;
  }
});

test("an answer that came while the page did not run is not missed", async (t) => {
  const b = begin(t);
  await inRoom(b);
  passes(18_500);
  assert.equal(pings(b), 1);
  const late = b.chat.history("r");
  // The page stands still. Its timers are due when it goes on, before what has
  // come is looked at.
  slept += 60_000;
  mock.timers.setTime(Date.now() + 60_000);
  mock.timers.tick(8500);
  assert.equal(b.chat.state, "online");
  b.socket().says({ type: "history", id: asked(b.socket(), "history")[0].id, room: "r", more: false, messages: [] });
  await late;
  passes(10_000);
  assert.equal(b.chat.state, "online");
});

test("a hidden page, whose timers are slowed down, raises no false alarm and asks seldom", async (t) => {
  const b = begin(t);
  page.hidden = true;
  t.after(() => (page.hidden = false));
  await inRoom(b);
  let answered = 0;
  for (let minute = 0; minute < 60; minute++) {
    mock.timers.tick(60_000); // all at once
    if (pings(b) > answered) {
      answered = pings(b);
      b.socket().says({ type: "pong", time: "2026-01-02T03:04:05.678Z" });
    }
  }
  assert.equal(b.chat.state, "online");
  assert.ok(answered > 10 && answered <= 60, `${answered} pings in an hour`);
  for (let minute = 0; minute < 5 && b.chat.state === "online"; minute++) mock.timers.tick(60_000);
  assert.equal(b.chat.state, "waiting", "but a dead one is noticed at last");
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
    if (code === "rate-limited") assert.ok(b.told.at(-1)[1].retryIn >= 3000);
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

for (const [clock, off] of [["right", 0], ["two hours fast", 7_200_000], ["two hours slow", -7_200_000], ["of 1970", -Date.now()]]) {
  test(`tokens are fetched for every hello, and refreshed before they expire, by a clock that is ${clock}`, async (t) => {
    let n = 0;
    const b = begin(t, { token: async () => `token ${++n}` });
    const expiry = (ms) => ({ expires: new Date(Date.now() - off + ms).toISOString(), expiresIn: ms });
    b.chat.connect();
    b.socket().opens();
    await settle();
    assert.equal(b.socket().sent[0].token, "token 1");
    b.socket().says({ type: "welcome", you, text: "", time: new Date(Date.now() - off).toISOString(), ...expiry(600_000) });
    assert.equal(b.chat.now().getTime(), Date.now() - off);
    for (let i = 2; i < 5; i++) {
      mock.timers.tick(569_000);
      await settle();
      assert.equal(n, i - 1);
      mock.timers.tick(2000);
      await settle();
      assert.equal(asked(b.socket(), "refresh").at(-1).token, `token ${i}`);
      b.socket().says({ type: "refreshed", id: asked(b.socket(), "refresh").at(-1).id, ...expiry(600_000) });
    }
    b.socket().loses(4001);
    assert.equal(b.chat.state, "waiting");
  });
}

for (const [what, expiresIn] of [["at once", 0], ["in the past", -7_200_000], ["in a moment", 1], ["not to be read", "x"], ["never to be said", undefined], ["in a thousand years", 3e13]]) {
  test(`a server whose tokens expire ${what} does not have them fetched without end`, async (t) => {
    let n = 0;
    const b = begin(t, { token: async () => `token ${++n}` });
    b.chat.connect();
    b.socket().opens();
    await settle();
    b.socket().says({ type: "welcome", you, text: "", expires: "1970-01-01T00:00:00.000Z", expiresIn });
    for (let i = 0; i < 1200; i++) { // ten minutes
      mock.timers.tick(500);
      await settle();
      for (const r of asked(b.socket(), "refresh").splice(0)) b.socket().says({ type: "refreshed", id: r.id, expiresIn });
      b.socket().says({ type: "notice", text: "alive" });
      b.socket().sent = [];
      if (i === 10) assert.ok(n <= 4, `${n} in 5 s`);
    }
    assert.ok(n <= 36, `${n} in ten minutes`);
  });
}

test("a token that cannot be had, or is refused, is tried for again, more seldom, while there is time", async (t) => {
  let n = 0;
  const b = begin(t, { token: async () => {
    if (++n > 1 && n < 4) throw new Error("not now");
    return `token ${n}`;
  } });
  b.chat.connect();
  b.socket().opens();
  await settle();
  b.socket().says({ type: "welcome", you, text: "", expiresIn: 60_000 });
  for (let i = 0; i < 120 && n < 6; i++) {
    mock.timers.tick(500);
    await settle();
    for (const r of asked(b.socket(), "refresh").splice(0)) b.socket().says(n < 5 ? { type: "error", id: r.id, code: "bad-token", text: "no" } : { type: "refreshed", id: r.id, expiresIn: 60_000 });
    b.socket().says({ type: "notice", text: "alive" });
    b.socket().sent = [];
  }
  assert.equal(n, 5, "once well, twice not to be had, once refused, once well");
});

test("a server's hints make nobody come back more often than without", async (t) => {
  for (const retry of [0, 1, -5, 1e300, "1", null, undefined]) {
    let n = 0;
    const b = begin(t, { token: () => `token ${++n}` });
    b.chat.connect();
    for (let i = 0; i < 600; i++) { // a minute
      if (b.socket().readyState === 0) {
        b.socket().opens();
        await settle();
        if (i % 2) b.socket().says({ type: "error", code: "too-many-sessions", text: "later", retry });
        else {
          b.socket().says({ type: "welcome", you, text: "", expiresIn: 1 }, { type: "restart", retry });
          b.socket().loses(4001);
        }
      }
      mock.timers.tick(100);
    }
    assert.ok(n <= 15, `retry ${retry}: ${n} times in a minute`);
    mock.timers.reset();
  }
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
