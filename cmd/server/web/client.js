// The chat's client, for any page: one import, no dependency.
//
//     import { Chat } from "./client.js";
//     const chat = new Chat("wss://example.com/ws", { name: "Ada" });
//     chat.on("message", (m) => console.log(m.from.name, m.text));
//     chat.join("lobby");
//     chat.send("lobby", "Hello");
//
// It speaks chat.v1.framewright (chat/plain/PROTOCOL.md). It connects again by
// itself, catches up in every room from the last message it saw, and sends again
// what was not acknowledged, under the same id, so that nothing is lost and
// nothing is there twice.
//
// Events, by chat.on(name, f):
//   state     { state, retryAt?, reason? }  see STATES
//   welcome   { you, text }
//   joined    { room, members, people, messages, reset }  reset: not all that was missed, but the latest
//   message   { room, cursor, time, from, id, text, mine }
//   delivery  { id, room, text, state, reason? }  state: "sending", "sent", "failed"
//   presence  { room, who, here, people, time }
//   typing    { room, who }
//   notice    { room?, text }
//   left      { room }
//   error     { code, text, id? }
//   frame     { sent, text, bytes, time }  each message on the wire, as it is

export const SUBPROTOCOL = "chat.v1.framewright";

// STATES of the connection: connecting; online; waiting (until retryAt, then
// connecting again); refused (the server does not take this name: set another);
// stopped (by close, or because an operator removed us).
export const STATES = ["connecting", "online", "waiting", "refused", "stopped"];

const CLOSE_TOO_BIG = 1009;
const CLOSE_KICKED = 4003;
const SETTLED = 10_000; // ms online after which the next loss is a new story
const FIRST_DELAY = 500; // ms; doubles up to
const LAST_DELAY = 20_000;
const CONNECT_TIMEOUT = 10_000; // from new WebSocket to welcome
const ACK_TIMEOUT = 10_000; // a send without an answer: the connection is dead

/** randomText returns n random bytes as hexadecimal text. */
export function randomText(n = 16) {
  const bytes = crypto.getRandomValues(new Uint8Array(n)); // unlike randomUUID, works without TLS too
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export class Chat {
  #url;
  #socket = null;
  #listeners = new Map();
  #rooms = new Map(); // name → { cursor, joined }
  #outbox = new Map(); // id → { id, room, text, state, timer }
  #tries = 0;
  #onlineSince = 0;
  #timer = 0; // of the next try, or of this one's patience

  /** options: name, secret (keep it: it is who you are), start: false to wait for connect(). */
  constructor(url, { name, secret = randomText(), start = true }) {
    this.#url = url;
    this.name = name;
    this.secret = secret;
    this.you = null; // { id, name } once welcomed
    this.state = "stopped";
    addEventListener("online", () => this.#hurry());
    addEventListener("offline", () => this.#socket?.close());
    addEventListener("pageshow", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    if (start) this.connect();
  }

  on(name, f) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), f]);
    return this;
  }

  #tell(name, detail) {
    for (const f of this.#listeners.get(name) ?? []) f(detail);
  }

  #become(state, more = {}) {
    this.state = state;
    this.#tell("state", { state, ...more });
  }

  /** connect connects now, also if the next try is not due yet. */
  connect() {
    clearTimeout(this.#timer);
    this.#drop();
    const socket = (this.#socket = new WebSocket(this.#url, SUBPROTOCOL));
    this.#become("connecting");
    this.#timer = setTimeout(() => this.#lost(socket, "no answer"), CONNECT_TIMEOUT);
    socket.onopen = () => this.#request({ type: "hello", name: this.name, secret: this.secret });
    socket.onmessage = (e) => socket === this.#socket && this.#receive(e.data);
    socket.onclose = (e) => this.#lost(socket, e.reason, e.code);
  }

  /** close ends the connection for good, or until connect(). */
  close() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#become("stopped");
  }

  /** rename says hello anew under another name. */
  rename(name, secret = this.secret) {
    this.name = name;
    if (secret !== this.secret) {
      this.secret = secret;
      for (const room of this.#rooms.values()) room.cursor = ""; // somebody else starts anew
    }
    this.#tries = 0;
    this.connect();
  }

  join(room) {
    if (this.#rooms.has(room)) return;
    this.#rooms.set(room, { cursor: "", joined: false });
    if (this.state === "online") this.#request({ type: "join", room, id: `join ${room}` });
  }

  leave(room) {
    if (!this.#rooms.delete(room)) return;
    if (this.state === "online") this.#request({ type: "leave", room });
  }

  /** send sends text, now or as soon as there is a connection, and returns its id. */
  send(room, text) {
    const id = randomText(12);
    this.#outbox.set(id, { id, room, text, state: "sending", timer: 0 });
    this.#tell("delivery", { id, room, text, state: "sending" });
    this.#deliver(this.#outbox.get(id));
    return id;
  }

  /** retry sends a failed message again. */
  retry(id) {
    const m = this.#outbox.get(id);
    if (m?.state !== "failed") return;
    m.state = "sending";
    this.#tell("delivery", { id, room: m.room, text: m.text, state: "sending" });
    this.#deliver(m);
  }

  typing(room) {
    if (this.#rooms.get(room)?.joined) this.#request({ type: "typing", room });
  }

  #deliver(m) {
    if (!this.#rooms.get(m.room)?.joined) return; // goes out once the room is joined
    const socket = this.#socket;
    this.#request({ type: "send", room: m.room, id: m.id, text: m.text });
    clearTimeout(m.timer);
    m.timer = setTimeout(() => this.#lost(socket, "no acknowledgement"), ACK_TIMEOUT);
  }

  #request(r) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return; // its close comes, and then everything anew
    const text = JSON.stringify(r);
    this.#socket.send(text);
    const shown = r.secret ? JSON.stringify({ ...r, secret: "…" }) : text;
    this.#frame(true, text, shown);
  }

  #frame(sent, text, shown = text) {
    if (this.#listeners.has("frame")) {
      this.#tell("frame", { sent, text: shown, bytes: new TextEncoder().encode(text).length, time: new Date() });
    }
  }

  #receive(data) {
    this.#frame(false, data);
    const e = JSON.parse(data);
    switch (e.type) {
      case "welcome":
        clearTimeout(this.#timer);
        this.#onlineSince = Date.now();
        this.you = e.you;
        this.#become("online");
        this.#tell("welcome", e);
        for (const [room, r] of this.#rooms) {
          this.#request({ type: "join", room, id: `join ${room}`, ...(r.cursor && { since: r.cursor }) });
        }
        break;
      case "joined":
        this.#joined(e);
        break;
      case "message":
        this.#message(e);
        break;
      case "ack":
        this.#delivered(e.id);
        break;
      case "error":
        this.#refused(e);
        break;
      default: // presence, typing, notice, left; and whatever a later server knows
        this.#tell(e.type, e);
    }
  }

  #joined(e) {
    const room = this.#rooms.get(e.room);
    if (!room) return; // left meanwhile
    const reset = !e.recovered;
    room.joined = true;
    room.cursor = e.cursor;
    const messages = e.messages.map((m) => ({ ...m, room: e.room, mine: m.from.id === this.you.id }));
    this.#tell("joined", { ...e, messages, reset });
    for (const m of messages) if (m.mine) this.#delivered(m.id);
    for (const m of this.#outbox.values()) {
      if (m.room === e.room && m.state === "sending") this.#deliver(m); // in the order in which they were written
    }
  }

  #message(e) {
    const room = this.#rooms.get(e.room);
    if (!room) return;
    room.cursor = e.cursor; // only a message moves it on: an acknowledgement may be an old one
    const mine = e.from.id === this.you.id;
    this.#tell("message", { ...e, mine });
    if (mine) this.#delivered(e.id);
  }

  #delivered(id) {
    const m = this.#outbox.get(id);
    if (!m) return;
    clearTimeout(m.timer);
    this.#outbox.delete(id);
    this.#tell("delivery", { id, room: m.room, text: m.text, state: "sent" });
  }

  #fail(m, reason) {
    clearTimeout(m.timer);
    m.state = "failed";
    this.#tell("delivery", { id: m.id, room: m.room, text: m.text, state: "failed", reason });
  }

  #refused(e) {
    const m = this.#outbox.get(e.id);
    if (m) {
      this.#fail(m, e.text);
      return;
    }
    if (this.state === "connecting") {
      clearTimeout(this.#timer);
      this.#drop();
      this.#become("refused", { reason: e.text, code: e.code });
      return;
    }
    if (e.id?.startsWith("join ")) this.#rooms.delete(e.id.slice(5));
    this.#tell("error", e);
  }

  // #drop lets go of the socket: whatever it still does is not our business.
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    for (const room of this.#rooms.values()) room.joined = false;
    for (const m of this.#outbox.values()) clearTimeout(m.timer);
    socket?.close();
  }

  #lost(socket, reason, code) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    if (this.state === "online" && Date.now() - this.#onlineSince > SETTLED) this.#tries = 0;
    this.#drop();
    if (code === CLOSE_TOO_BIG) { // to send it again would end the same way
      for (const m of this.#outbox.values()) this.#fail(m, "too long");
    }
    if (code === CLOSE_KICKED) {
      this.#become("stopped", { reason: reason || "removed by an operator" });
      return;
    }
    // Full jitter over the upper half: thousands of pages that lost one server
    // must not come back in step.
    const ceiling = Math.min(LAST_DELAY, FIRST_DELAY * 2 ** this.#tries++);
    const delay = ceiling / 2 + (Math.random() * ceiling) / 2;
    this.#timer = setTimeout(() => this.connect(), delay);
    this.#become("waiting", { retryAt: Date.now() + delay, reason });
  }

  // #hurry tries again at once: the network, or the person, is back.
  #hurry() {
    if (this.state === "waiting") this.connect();
  }
}
