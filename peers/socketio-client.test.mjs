// Tests of the client of Socket.IO that the server hands out, without a browser:
// the WebSocket and the clock are played here. TestSocketIOModule runs them, beside
// what the server has at /socket.io/ (own.mjs, own.cjs) and npm's (published.mjs).
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mock, test } from "node:test";
import { Manager, Socket, io } from "./own.mjs";

class FakeSocket {
  static OPEN = 1;
  static all = [];
  readyState = 1;
  sent = [];
  constructor(url) {
    this.url = new URL(url);
    FakeSocket.all.push(this);
  }
  send(text) {
    assert.equal(this.readyState, 1, "sent on a socket that is not open");
    this.sent.push(text);
  }
  close() {
    this.readyState = 3;
  }
  says(...messages) {
    for (const data of messages) this.onmessage({ data });
  }
  begins(...messages) {
    this.says('0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}', ...messages);
  }
  loses() {
    this.readyState = 3;
    this.onclose();
  }
}
globalThis.WebSocket = FakeSocket;

// begin plays the clock, and chance.
function begin(t) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const random = mock.method(Math, "random", () => 0.5);
  t.after(() => {
    mock.timers.reset();
    random.mock.restore();
  });
  FakeSocket.all = [];
  return () => FakeSocket.all.at(-1);
}

const options = { transports: ["websocket"] };
// hears collects what an emitter tells of these events.
function hears(emitter, ...events) {
  const told = [];
  for (const e of events) emitter.on(e, (...args) => told.push([e, ...args.map((a) => a?.message ?? a)]));
  return told;
}

test("the module exports what the published one does, but for its transports", async () => {
  const [own, published] = await Promise.all([import("./own.mjs"), import("./published.mjs")]);
  const transports = ["Fetch", "NodeWebSocket", "NodeXHR", "WebSocket", "WebTransport", "XHR"];
  assert.deepEqual(Object.keys(own).sort(), Object.keys(published).filter((k) => !transports.includes(k)).sort());
  assert.equal(own.protocol, published.protocol);
  for (const name of ["connect", "default"]) assert.equal(own[name], own.io);
  assert.equal(globalThis.io, undefined, "a module leaves nothing in the page");
});

test("the script makes io, with the same beside it", () => {
  createRequire(import.meta.url)("./own.cjs");
  const { io: global } = globalThis;
  delete globalThis.io;
  assert.deepEqual(Object.keys(global).sort(), ["Manager", "Socket", "connect", "io", "protocol"]);
  assert.equal(global.io, global);
  assert.equal(global.connect, global);
});

test("the sockets of a manager share a connection, for as long as one of them wants it", (t) => {
  const ws = begin(t);
  const manager = new Manager("http://x", options);
  const [a, b] = [manager.socket("/"), manager.socket("/b", { auth: { key: 1 } })];
  assert.ok(a instanceof Socket);
  assert.equal(manager.socket("/b"), b);
  assert.equal(a.io, manager);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(ws().url.href.split("?")[0], "ws://x/socket.io/");
  ws().begins();
  assert.deepEqual(ws().sent.splice(0), ["40", '40/b,{"key":1}']);
  ws().says('40{"sid":"1"}', '40/b,{"sid":"2"}');
  assert.deepEqual([a.id, b.id], ["1", "2"]);
  const told = [hears(a, "x"), hears(b, "x")];
  ws().says('42["x",1]', '42/b,["x",2]');
  assert.deepEqual(told, [[["x", 1]], [["x", 2]]]);
  const c = manager.socket("/c"); // while it is there
  assert.deepEqual(ws().sent.splice(0), ["40/c,"]);
  a.disconnect();
  c.disconnect();
  assert.deepEqual(ws().sent.splice(0), ["41"], "c was not in yet");
  assert.deepEqual([a.connected, b.connected, ws().readyState], [false, true, 1]);
  b.disconnect();
  assert.deepEqual([ws().sent, ws().readyState], [["41/b,"], 3]);
  mock.timers.tick(600_000);
  assert.equal(FakeSocket.all.length, 1, "it came back by itself");
  b.connect();
  ws().begins();
  assert.deepEqual([FakeSocket.all.length, ws().sent], [2, ["40/b,{\"key\":1}"]]);
});

test("each io() has a connection of its own", (t) => {
  begin(t);
  const [a, b] = [io("http://x", options), io("http://x/b", options)];
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual([a.nsp, b.nsp], ["/", "/b"]);
});

test("it comes back as often as it may, and says so", (t) => {
  const ws = begin(t);
  const manager = new Manager("http://x", { ...options, reconnectionAttempts: 2, reconnectionDelay: 100, randomizationFactor: 0 });
  const socket = manager.socket("/");
  const told = hears(manager, "open", "close", "error", "reconnect_attempt", "reconnect", "reconnect_error", "reconnect_failed");
  const heard = hears(socket, "connect", "disconnect", "connect_error");
  ws().begins('40{"sid":"1"}');
  ws().loses();
  mock.timers.tick(100);
  ws().begins('40{"sid":"2"}');
  assert.deepEqual(told.splice(0), [["open"], ["close", "transport close"], ["reconnect_attempt", 1], ["open"], ["reconnect", 1]]);
  ws().loses();
  for (const delay of [100, 200]) {
    mock.timers.tick(delay);
    ws().loses();
  }
  assert.deepEqual(told.splice(0), [["close", "transport close"],
    ["reconnect_attempt", 1], ["error", "transport close"], ["reconnect_error", "transport close"], ["close", "transport close"],
    ["reconnect_attempt", 2], ["error", "transport close"], ["reconnect_error", "transport close"], ["close", "transport close"], ["reconnect_failed"]]);
  assert.deepEqual(heard, [["connect"], ["disconnect", "transport close"], ["connect"], ["disconnect", "transport close"],
    ["connect_error", "transport close"], ["connect_error", "transport close"]]);
  mock.timers.tick(600_000);
  assert.equal(FakeSocket.all.length, 4);
  socket.connect();
  assert.equal(FakeSocket.all.length, 5);
  assert.equal(manager.reconnectionAttempts(), 2);
  assert.equal(manager.reconnection(false), manager);
  ws().loses();
  mock.timers.tick(600_000);
  assert.equal(FakeSocket.all.length, 5);
});

test("what a listener does wrong is the page's, and costs no connection", (t) => {
  const ws = begin(t);
  const socket = io("http://x", options);
  ws().begins('40{"sid":"1"}');
  socket.on("x", () => { throw new Error("mine"); });
  const told = hears(socket, "x", "disconnect");
  ws().says('42["x",1]', '42["x",2]');
  assert.deepEqual(told, [["x", 1], ["x", 2]]);
  assert.throws(() => mock.timers.tick(1), /mine/, "nobody hears of it");
});

for (const [what, ...messages] of [
  ["no packet", "4x"], ["no JSON", "42[1"], ["no event", '42{"a":1}'], ["an event without a name", "42[]"], ["a welcome without an id", "40{}"],
  ["an answer that is no list", '43{"a":1}'], ["bytes that belong to nothing", new ArrayBuffer(1)], ["a packet without its bytes", '451-["x",{"_placeholder":true,"num":0}]', '42["y"]'],
]) {
  test(`${what} ends the connection, and it comes back`, (t) => {
    const ws = begin(t);
    const socket = io("http://x", options);
    ws().begins('40{"sid":"1"}');
    const told = hears(socket, "disconnect", "x", "y");
    ws().says(...messages);
    assert.deepEqual([told, ws().readyState], [[["disconnect", "parse error"]], 3]);
    mock.timers.tick(1000);
    ws().begins('40{"sid":"2"}');
    assert.ok(socket.connected);
  });
}

test("who ends another socket while it is told of a loss has the last word", (t) => {
  const ws = begin(t);
  const manager = new Manager("http://x", options);
  const [a, b] = [manager.socket("/"), manager.socket("/b")];
  ws().begins('40{"sid":"1"}', '40/b,{"sid":"2"}');
  const told = hears(b, "disconnect", "connect_error");
  a.on("disconnect", () => {
    b.disconnect();
    a.disconnect();
  });
  ws().loses();
  assert.deepEqual(told, [["disconnect", "io client disconnect"]]);
  mock.timers.tick(600_000);
  assert.equal(FakeSocket.all.length, 1);
});
