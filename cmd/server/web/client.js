// The chat's client, for any page: one import, no dependency, no build step.
//
//     import { Chat } from "https://chat.example.com/client.js";
//     const chat = new Chat("wss://chat.example.com/ws", { name: "Ada" });
//     chat.on("message", (m) => console.log(m.room, m.from.name, m.text));
//     chat.on("state", ({ state }) => console.log(state));
//     chat.join("lobby");
//     chat.send("lobby", "Hello");
//
// A page of another origin needs the server's word that it may connect: start
// the server with -origin and the page's host.
//
// It speaks chat.v1.framewright (chat/plain/PROTOCOL.md). It connects again by
// itself, catches up in every room from the last message it saw, and sends again
// what was not acknowledged, under the same id, so that nothing is lost and
// nothing is there twice. What is sent without a connection waits for one; with
// a storage, also across a reload.
//
// @typedef {{ id: string, name: string, account?: boolean }} Person  account: the name is vouched for
// @typedef {{ room: string, cursor: string, time: string, from: Person, id: string, text: string, mine: boolean }} Message
//
// Events, by chat.on(name, f):
//   state     { state, retryIn?, reason?, code? }  see STATES; retryIn: milliseconds
//   renamed   { you, was, text }  the name belongs to an account; we go by another now
//   welcome   { you, text, maxText }  bytes of UTF-8 that a message may have
//   joined    { room, members, people, messages, deleted?, reset }  reset: not just what was missed, but the latest
//   message   Message
//   private   { from, to, id, text, time, mine }
//   delivery  { id, room?, to?, text, time, state, reason? }  state: "sending", "sent", "failed", "discarded"
//   presence  { room, who, here, people, time }
//   typing    { room, who }
//   deleted   { room, cursor }
//   muted     { room?, until, retry }  milliseconds; 0: no longer
//   notice    { room?, text }
//   left      { room, reason }  the server took us out, or would not let us in
//   error     { code, text, id? }  an answer to nothing of the above
//   frame     { sent, text, bytes, extensions, time }  each message on the wire; secrets are
//             blotted out. bytes: of the text, before what extensions make of it
//
// Every time that comes from the server is by the server's clock, and this
// computer's may be hours off: chat.now() is what the server's shows. Nothing
// here compares the one with the other; waiting is by durations.

export const SUBPROTOCOL = "chat.v1.framewright";

// STATES of the connection: connecting; online; waiting (retryIn, then
// connecting again); refused (the server does not take this name or token: set
// another); stopped (by close, or because coming back by itself would be wrong).
export const STATES = ["connecting", "online", "waiting", "refused", "stopped"];

const CLOSE_TOO_BIG = 1009;
const CLOSE_EXPIRED = 4001;
const CLOSE_FINAL = new Map([ // close codes after which PROTOCOL.md says not to come back
  [1003, "unexpected data"], [1008, "refused by the server"], [4003, "removed by an operator"],
]);
const REFUSALS = ["bad-name", "name-taken", "bad-secret", "bad-token", "expired"];

// Times in milliseconds.
const SETTLED = 10_000; // online for so long: the next loss is a new story
const FIRST_DELAY = 500; // doubles up to
const LAST_DELAY = 20_000;
const CONNECT_TIMEOUT = 10_000; // from new WebSocket to welcome
const ANSWER_TIMEOUT = 10_000; // a request without an answer: the connection is dead
const TYPING_EVERY = 3000;

// A connection may die without a word. A page cannot send pings of WebSocket's
// own, so it asks by a request, when it has heard nothing for QUIET, when time
// has jumped (the computer slept), and when the network or the person is back;
// together less than half a minute. A page that is hidden asks seldom: its timers
// are the browser's to slow down, and nobody looks.
const QUIET = 17_000;
const QUIET_HIDDEN = 60_000;
const CHECK = 3000; // how often that is looked at
const CHECK_HIDDEN = 30_000;
const PROBE_TIMEOUT = 8000; // for anything at all to come
const FRESH = 1000; // heard, or tried in vain, so lately: no need to ask, or try, at once
const LATE = 2000; // a timer so late says that the page did not run meanwhile

// What a server may say about waiting, whatever it says.
const SHORTEST = 100;
const LONGEST = 600_000;

const REFRESH_EARLY = 30_000; // before a token expires
const TOKEN_EVERY = 1000; // between two fetches of a token by itself; doubles up to
const TOKEN_SELDOM = 20_000;

const WINDOW = 16; // sends under way at one time
const OUTBOX_MESSAGES = 200; // that wait to be sent, and
const OUTBOX_CHARS = 500_000; // their text in all

/** randomText returns n random bytes as hexadecimal text. */
export function randomText(n = 16) {
  const bytes = crypto.getRandomValues(new Uint8Array(n)); // unlike randomUUID, works without TLS too
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** now is a clock that nobody sets; it may stand still while the computer sleeps. */
const now = () => performance.now();

/** pause is how long a server wants us to wait, within reason. */
const pause = (ms, fallback) => (Number.isFinite(ms) && ms >= 0 ? Math.min(Math.max(ms, SHORTEST), LONGEST) : fallback);

/** wellFormed reports whether text can be written in UTF-8: half of a surrogate pair cannot, and the server closes for it. */
export const wellFormed = (text) => !/\p{Surrogate}/u.test(text);
const HALF = "it has half of a character in it (a lone surrogate), which cannot be sent";

export class Chat {
  #url;
  #socket = null;
  #listeners = new Map();
  #rooms = new Map(); // name → { cursor, joined, typedAt }
  #outbox = new Map(); // id → { id, room | to, text, time, state, reason, flying, tries, timer }
  #asked = new Map(); // id → { request, resolve, reject, timer }
  #asks = 0;
  #tries = 0;
  #onlineSince = 0;
  #heardAt = 0;
  #watchTimer = 0;
  #probe = null; // what ends the wait for an answer
  #clock = null; // { server, at }: its time then
  #tokenAt = -Infinity; // when one was fetched
  #tokenGap = TOKEN_EVERY;
  #restart = 0; // ms after which a restarting server wants us back
  #notBefore = 0; // nothing but the person may try earlier
  #failedAt = -Infinity; // when a try to connect came to nothing
  #nextAt = 0; // when the next one is due
  #timer = 0; // of the next try, or of this one's patience
  #held = 0; // sends wait until then
  #pumpTimer = 0;
  #refreshTimer = 0;
  #storage;
  #key;

  /**
   * @param {string | URL} url of the server's WebSocket, ws: or wss:
   * @param {object} options
   * @param {string} [options.name] not needed with a token that says it
   * @param {string} [options.secret] keep it and give it again: it is who you are
   * @param {string | (() => string | Promise<string>)} [options.token] if the server asks for one
   * @param {boolean} [options.start] false: wait for connect()
   * @param {Storage} [options.storage] keeps what was not sent yet, sessionStorage for one
   * @param {string} [options.key] under which it does
   */
  constructor(url, { name, secret = randomText(24), token, start = true, storage = null, key = "framewright outbox" }) {
    this.#url = url;
    this.#storage = storage;
    this.#key = key;
    this.name = name;
    this.secret = secret;
    this.token = token;
    /** @type {Person | null} set once welcomed */
    this.you = null;
    this.state = "stopped";
    const listen = (target, type, f) => target?.addEventListener?.(type, f);
    listen(globalThis, "online", () => this.#wake());
    listen(globalThis, "offline", () => this.#socket && this.#lost(this.#socket, "offline"));
    listen(globalThis, "pageshow", () => this.#wake());
    listen(globalThis.document, "visibilitychange", () => document.hidden || this.#wake());
    listen(globalThis.document, "resume", () => this.#wake());
    listen(globalThis.navigator?.connection, "change", () => this.#wake());
    this.#restore();
    if (start) queueMicrotask(() => this.state === "stopped" && this.connect()); // listeners come first
  }

  /** on calls f with each event of that name; see the top of this file. */
  on(name, f) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), f]);
    return this;
  }

  /** off ends what on began. */
  off(name, f) {
    this.#listeners.set(name, (this.#listeners.get(name) ?? []).filter((g) => g !== f));
    return this;
  }

  #tell(name, detail) {
    for (const f of this.#listeners.get(name) ?? []) {
      try {
        f(detail);
      } catch (err) { // a listener's mistake must not cost messages
        console.error(err);
      }
    }
  }

  #become(state, more = {}) {
    this.state = state;
    this.#tell("state", { state, ...more });
  }

  /** connect connects now, also if the next try is not due yet. */
  connect() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#notBefore = 0;
    if (this.name !== undefined && !wellFormed(this.name)) {
      this.#become("refused", { reason: `This name cannot be used: ${HALF}.`, code: "bad-name" });
      return;
    }
    const socket = (this.#socket = new WebSocket(this.#url, SUBPROTOCOL));
    this.#become("connecting");
    this.#timer = setTimeout(() => this.#lost(socket, "no answer"), CONNECT_TIMEOUT);
    socket.onopen = () => this.#hello(socket);
    socket.onmessage = (e) => socket === this.#socket && this.#receive(e.data);
    socket.onclose = (e) => this.#lost(socket, e.reason, e.code);
  }

  async #hello(socket) {
    try {
      const token = await this.#token();
      if (socket === this.#socket) this.#request({ type: "hello", name: this.name, secret: this.secret, ...(token && { token }) });
    } catch (err) {
      this.#lost(socket, `no token: ${err.message}`);
    }
  }

  // #token gets the token, and remembers that it did: by itself the client does
  // so seldom, whatever the server says about its life.
  #token() {
    if (typeof this.token !== "function") return this.token;
    const since = now() - this.#tokenAt;
    this.#tokenGap = since > 3 * this.#tokenGap ? TOKEN_EVERY : Math.min(2 * this.#tokenGap, TOKEN_SELDOM);
    this.#tokenAt = now();
    return this.token();
  }

  /** now is the server's time, as far as it is known. */
  now() {
    return new Date(this.#clock ? this.#clock.server + now() - this.#clock.at : Date.now());
  }

  #setClock(time) {
    const server = Date.parse(time);
    if (!Number.isNaN(server)) this.#clock = { server, at: now() };
  }

  /** close ends the connection for good, or until connect(). */
  close() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#become("stopped");
  }

  /** rename says hello anew under another name; with another secret, as somebody else. */
  rename(name, secret = this.secret) {
    this.name = name;
    if (secret !== this.secret) {
      this.secret = secret;
      for (const room of this.#rooms.values()) room.cursor = ""; // somebody else starts anew
      for (const m of this.#outbox.values()) this.#fail(m, "written under another name");
    }
    this.#tries = 0;
    this.connect();
  }

  /** @returns {string[]} the rooms that we are in, or will be once connected */
  get rooms() {
    return [...this.#rooms.keys()];
  }

  join(room) {
    if (this.#rooms.has(room)) return;
    if (!wellFormed(room)) {
      this.#out(room, `the name of the room cannot be used: ${HALF}`);
      return;
    }
    this.#rooms.set(room, { cursor: "", joined: false, typedAt: -Infinity });
    if (this.state === "online") this.#join(room);
  }

  /** leave leaves a room; what was not sent there yet is discarded. */
  leave(room) {
    for (const m of this.#outbox.values()) if (m.room === room) this.discard(m.id);
    if (!this.#rooms.delete(room)) return;
    if (this.state === "online") this.#request({ type: "leave", room });
  }

  /**
   * send sends text to a room, now or as soon as there is a connection.
   * @returns {string | null} its id; null if too much waits already
   */
  send(room, text) {
    this.join(room);
    return this.#post({ room, text });
  }

  /**
   * sendPrivate sends text to one person, who must be there to get it.
   * @param {Person} to
   * @returns {string | null} as send does
   */
  sendPrivate(to, text) {
    return this.#post({ to: { id: to.id, name: to.name }, text });
  }

  /** @returns {{ id: string, room?: string, to?: Person, text: string, time: string, state: string, reason?: string }[]} what is not sent yet */
  get outbox() {
    return [...this.#outbox.values()].map(shown);
  }

  /** retry sends a failed message again. */
  retry(id) {
    const m = this.#outbox.get(id);
    if (m?.state !== "failed") return;
    if (m.room) this.join(m.room);
    Object.assign(m, { state: "sending", reason: undefined, tries: 0 });
    this.#queue(m);
  }

  /** discard forgets a message that was not sent. */
  discard(id) {
    const m = this.#outbox.get(id);
    if (!m) return;
    clearTimeout(m.timer);
    this.#outbox.delete(id);
    m.state = "discarded";
    this.#changed(m);
  }

  /** typing tells the others that we write; call it at every key, it does not go out more often than it should. */
  typing(room) {
    const r = this.#rooms.get(room);
    if (!r?.joined || now() - r.typedAt < TYPING_EVERY) return;
    r.typedAt = now();
    this.#request({ type: "typing", room });
  }

  /**
   * history asks for the messages before a cursor, or the latest, oldest first.
   * @param {string} room that we are in
   * @param {{ before?: string, limit?: number }} [options]
   * @returns {Promise<{ messages: Message[], more: boolean }>} rejects with an Error that has a code
   */
  async history(room, { before, limit } = {}) {
    const e = await this.#ask({ type: "history", room, ...(before && { before }), ...(limit && { limit }) });
    return { messages: this.#own(room, e.messages), more: e.more };
  }

  // Requests.

  #request(r) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return; // its close comes, and then everything anew
    const text = JSON.stringify(r);
    this.#socket.send(text);
    const blotted = Object.fromEntries(["secret", "token"].filter((k) => r[k]).map((k) => [k, "…"]));
    this.#frame(true, text, JSON.stringify({ ...r, ...blotted }));
  }

  #frame(sent, text, display = text) {
    if (this.#listeners.get("frame")?.length) {
      this.#tell("frame", { sent, text: display, bytes: new TextEncoder().encode(text).length, extensions: this.#socket?.extensions ?? "", time: new Date() });
    }
  }

  // #ask makes a request that has one answer.
  #ask(request) {
    return new Promise((resolve, reject) => {
      if (this.state !== "online") return reject(failure("lost", "no connection"));
      const id = `r${++this.#asks}`;
      this.#asked.set(id, { request: { ...request, id }, resolve, reject, timer: 0 });
      this.#askNow(id);
    });
  }

  #askNow(id) {
    const a = this.#asked.get(id);
    if (!a) return;
    if (a.request.type === "join" && !this.#rooms.has(a.request.room)) { // left while it had to wait
      this.#asked.delete(id);
      a.reject(failure("left", "left meanwhile"));
      return;
    }
    a.timer = this.#deadline("no answer", (timer) => (a.timer = timer));
    this.#request(a.request);
  }

  #answered(e) {
    const a = this.#asked.get(e.id);
    if (!a) return false;
    clearTimeout(a.timer);
    if (e.type === "error" && e.code === "rate-limited") {
      a.timer = setTimeout(() => this.#askNow(e.id), jittered(pause(e.retry, 1000)));
      return true;
    }
    this.#asked.delete(e.id);
    if (e.type === "error") a.reject(failure(e.code, e.text, e.retry));
    else a.resolve(e);
    return true;
  }

  async #join(room) {
    const since = this.#rooms.get(room)?.cursor;
    try {
      await this.#ask({ type: "join", room, ...(since && { since }) });
    } catch (err) {
      if (err.code === "lost" || !this.#rooms.has(room)) return; // the next connection joins anew
      if (err.code === "unavailable") {
        setTimeout(() => this.state === "online" && this.#rooms.get(room)?.joined === false && this.#join(room), jittered(pause(err.retry, 2000)));
        return;
      }
      this.#out(room, err.message);
    }
  }

  // #out is when the server does not let us stay in a room.
  #out(room, reason) {
    this.#rooms.delete(room);
    for (const m of this.#outbox.values()) if (m.room === room) this.#fail(m, reason);
    this.#tell("left", { room, reason });
  }

  // What is to be sent.

  #post({ room, to, text }) {
    let chars = text.length;
    for (const m of this.#outbox.values()) chars += m.text.length;
    if (this.#outbox.size >= OUTBOX_MESSAGES || chars > OUTBOX_CHARS) return null;
    const m = { id: randomText(12), room, to, text, time: this.now().toISOString(), state: "sending", flying: false, tries: 0, timer: 0 };
    this.#outbox.set(m.id, m);
    const r = this.#rooms.get(room);
    if (r) r.typedAt = -Infinity;
    this.#queue(m);
    return m.id;
  }

  // #queue tells of what is to be sent, and sends it if it can be.
  #queue(m) {
    this.#changed(m);
    if ([m.text, m.room ?? ""].every(wellFormed)) this.#pump();
    else this.#fail(m, `Not sent: ${HALF}.`);
  }

  // #pump sends what may go out, in the order in which it was written.
  #pump() {
    clearTimeout(this.#pumpTimer);
    if (this.state !== "online") return;
    const wait = this.#held - now();
    if (wait > 0) {
      this.#pumpTimer = setTimeout(() => this.#pump(), wait);
      return;
    }
    let flying = 0;
    for (const m of this.#outbox.values()) flying += m.flying ? 1 : 0;
    for (const m of this.#outbox.values()) {
      if (flying >= WINDOW) return;
      if (m.state !== "sending" || m.flying || (m.room !== undefined && !this.#rooms.get(m.room)?.joined)) continue;
      m.flying = true;
      flying++;
      m.timer = this.#deadline("no acknowledgement", (timer) => (m.timer = timer));
      this.#request(m.room !== undefined ? { type: "send", room: m.room, id: m.id, text: m.text } : { type: "private", to: m.to.id, id: m.id, text: m.text });
    }
  }

  #changed(m) {
    this.#save();
    this.#tell("delivery", shown(m));
  }

  #delivered(id, time) {
    const m = this.#outbox.get(id);
    if (!m) return;
    clearTimeout(m.timer);
    this.#outbox.delete(id);
    Object.assign(m, { state: "sent", time: time ?? m.time });
    this.#changed(m);
    this.#pump();
  }

  #fail(m, reason) {
    clearTimeout(m.timer);
    Object.assign(m, { state: "failed", reason, flying: false });
    this.#changed(m);
  }

  // #notSent is the server's refusal of a message: for now, or for good.
  #notSent(m, e) {
    clearTimeout(m.timer);
    m.flying = false;
    const later = e.code === "rate-limited" || (e.code === "unavailable" && m.tries++ < 5);
    if (!later) this.#fail(m, e.text);
    else this.#held = Math.max(this.#held, now() + pause(e.retry, 1000 * 2 ** m.tries));
    this.#pump();
  }

  #save() {
    try {
      const kept = this.outbox;
      if (kept.length > 0) this.#storage?.setItem(this.#key, JSON.stringify(kept));
      else this.#storage?.removeItem(this.#key);
    } catch { /* full or forbidden: then it lasts as long as the page */ }
  }

  #restore() {
    try {
      for (const m of JSON.parse(this.#storage?.getItem(this.#key) ?? "[]").slice(0, OUTBOX_MESSAGES)) {
        const whole = [m.id, m.text, m.time, m.room ?? m.to?.id].every((s) => typeof s === "string" && s);
        if (!whole || !["sending", "failed"].includes(m.state)) continue;
        if (![m.text, m.room ?? ""].every(wellFormed)) Object.assign(m, { state: "failed", reason: `Not sent: ${HALF}.` });
        this.#outbox.set(m.id, { ...shown(m), flying: false, tries: 0, timer: 0 });
        if (m.room && m.state === "sending") this.join(m.room);
      }
    } catch { /* not ours */ }
  }

  // What the server says.

  #own(room, messages) {
    return messages.map((m) => ({ ...m, room, mine: m.from.id === this.you.id }));
  }

  #receive(data) {
    this.#heardAt = now();
    this.#probe?.();
    this.#frame(false, data);
    const e = JSON.parse(data);
    if (e.type !== "error") this.#answered(e);
    switch (e.type) {
      case "welcome":
        this.#welcomed(e);
        break;
      case "joined":
        this.#joined(e);
        break;
      case "message":
        this.#message(e);
        break;
      case "private":
        this.#tell("private", { ...e, mine: e.from.id === this.you.id });
        if (e.from.id === this.you.id) this.#delivered(e.id, e.time);
        break;
      case "ack":
        this.#delivered(e.id, e.time);
        break;
      case "left":
        if (e.reason && this.#rooms.has(e.room)) this.#out(e.room, e.reason);
        break;
      case "refreshed":
        this.#refreshBefore(e.expiresIn);
        break;
      case "restart":
        this.#restart = pause(e.retry, 0);
        break;
      case "pong":
        this.#setClock(e.time);
        break;
      case "error":
        this.#refused(e);
        break;
      case "renamed": // and by that name we come back
        this.you = e.you;
        this.name = e.you.name;
        this.#tell("renamed", e);
        break;
      case "history":
        break;
      default: // presence, typing, notice, deleted, muted; and whatever a later server knows
        this.#tell(e.type, e);
    }
  }

  #welcomed(e) {
    clearTimeout(this.#timer);
    this.#onlineSince = now();
    this.#held = 0;
    this.#restart = 0;
    this.you = e.you;
    this.#setClock(e.time);
    this.#watch();
    this.#become("online");
    this.#tell("welcome", e);
    this.#refreshBefore(e.expiresIn);
    for (const room of this.#rooms.keys()) this.#join(room);
    this.#pump(); // private messages wait for no room
  }

  // #refreshBefore brings a new token in good time; expiresIn is in milliseconds.
  #refreshBefore(expiresIn) {
    clearTimeout(this.#refreshTimer);
    if (!Number.isFinite(expiresIn) || typeof this.token !== "function") return;
    const [socket, since] = [this.#socket, now()];
    const due = Math.max(expiresIn - REFRESH_EARLY, expiresIn / 2);
    const allowed = this.#tokenAt + this.#tokenGap - since;
    this.#refreshTimer = setTimeout(async () => {
      try {
        await this.#ask({ type: "refresh", token: await this.#token() });
      } catch {
        const left = expiresIn - (now() - since);
        if (left > 0 && socket === this.#socket) this.#refreshBefore(left);
        // When it is too late the server closes with 4001, and a new token comes with the hello.
      }
    }, Math.min(Math.max(due, allowed, 0), 2 ** 31 - 1));
  }

  #joined(e) {
    const room = this.#rooms.get(e.room);
    if (!room) return; // left meanwhile
    room.joined = true;
    room.cursor = e.cursor;
    const messages = this.#own(e.room, e.messages);
    this.#tell("joined", { ...e, messages, reset: !e.recovered });
    for (const m of messages) if (m.mine) this.#delivered(m.id, m.time);
    this.#pump();
  }

  #message(e) {
    const room = this.#rooms.get(e.room);
    if (!room?.joined) return; // left, or not joined anew yet: then it is in what that brings
    room.cursor = e.cursor; // only a message moves it on: an acknowledgement may be an old one
    const [m] = this.#own(e.room, [e]);
    this.#tell("message", m);
    if (m.mine) this.#delivered(e.id, e.time);
  }

  #refused(e) {
    const m = this.#outbox.get(e.id);
    if (m?.flying) {
      this.#notSent(m, e);
    } else if (this.state === "connecting") {
      this.#notWelcome(e);
    } else if (!this.#answered(e) && e.code !== "rate-limited") {
      this.#tell("error", e);
    }
  }

  #notWelcome(e) {
    if (!REFUSALS.includes(e.code)) { // too many, not now: later
      this.#lost(this.#socket, e.text, 0, e.retry);
      return;
    }
    clearTimeout(this.#timer);
    this.#drop();
    this.#become("refused", { reason: e.text, code: e.code });
  }

  // Losing the connection, and coming back.

  // #drop lets go of the socket: whatever it still does is not our business.
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#pumpTimer);
    clearTimeout(this.#watchTimer);
    this.#probe?.();
    for (const room of this.#rooms.values()) room.joined = false;
    for (const m of this.#outbox.values()) {
      clearTimeout(m.timer);
      m.flying = false;
    }
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const a of asked) {
      clearTimeout(a.timer);
      a.reject(failure("lost", "the connection was lost"));
    }
    if (socket) socket.onclose = socket.onmessage = socket.onopen = null;
    socket?.close();
  }

  #lost(socket, reason, code, wait) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    if (this.state === "online" && now() - this.#onlineSince > SETTLED) this.#tries = 0;
    if (this.state === "connecting") this.#failedAt = now();
    const flying = [...this.#outbox.values()].filter((m) => m.flying);
    this.#drop();
    if (code === CLOSE_TOO_BIG) { // to send it again would end the same way
      for (const m of flying) this.#fail(m, "perhaps too long for the server");
    }
    if (CLOSE_FINAL.has(code)) {
      this.#become("stopped", { reason: reason || CLOSE_FINAL.get(code), code });
      return;
    }
    if (code === CLOSE_EXPIRED && typeof this.token !== "function") {
      this.#become("refused", { reason: reason || "the token has expired", code: "expired" });
      return;
    }
    // Jitter: thousands of pages that lost one server must not come back in step.
    // A server that restarts has given each its own time.
    // What it says is never a reason to try more often than without.
    const hint = Math.max(this.#restart, pause(wait, 0));
    const ceiling = Math.min(LAST_DELAY, FIRST_DELAY * 2 ** Math.min(this.#tries++, 10));
    const delay = Math.max(hint && jittered(hint), ceiling / 2 + (Math.random() * ceiling) / 2);
    this.#notBefore = hint ? now() + delay : 0;
    this.#restart = 0;
    this.#connectAt(now() + delay);
    this.#become("waiting", { retryIn: delay, reason });
  }

  #connectAt(time) {
    clearTimeout(this.#timer);
    this.#nextAt = time;
    this.#timer = setTimeout(() => this.connect(), Math.max(time - now(), 0));
  }

  // #deadline is when an answer must be there, or the connection is dead. A page
  // that did not run meanwhile may have the answer in its hands unread, so a timer
  // that comes late waits once more, and is renewed.
  #deadline(reason, renewed, ms = ANSWER_TIMEOUT) {
    const socket = this.#socket;
    const lost = () => this.#lost(socket, reason);
    const late = lateness(ms);
    return setTimeout(() => (late() > LATE ? renewed(setTimeout(lost, ms)) : lost()), ms);
  }

  // #watch sees that silence does not last.
  #watch() {
    clearTimeout(this.#watchTimer);
    const hidden = globalThis.document?.hidden;
    const ms = hidden ? CHECK_HIDDEN : CHECK;
    const late = lateness(ms);
    this.#watchTimer = setTimeout(() => {
      const slept = late() > (hidden ? QUIET_HIDDEN : LATE);
      if (slept || now() - this.#heardAt > (hidden ? QUIET_HIDDEN : QUIET)) this.#ping();
      this.#watch();
    }, ms);
  }

  // #ping asks whether the connection lives. Whatever comes is an answer.
  #ping() {
    if (this.state !== "online" || this.#probe) return;
    let timer = this.#deadline("no answer", (t) => (timer = t), PROBE_TIMEOUT);
    this.#probe = () => {
      clearTimeout(timer);
      this.#probe = null;
    };
    this.#request({ type: "ping" });
  }

  // #wake is when the network or the person is back: try at once, or ask whether
  // the connection still is one. A browser may say so often, and be wrong.
  #wake() {
    if (this.state === "waiting" && now() >= this.#notBefore) {
      const at = this.#failedAt + FRESH;
      if (now() >= at) this.connect();
      else if (at < this.#nextAt) this.#connectAt(at);
    }
    if (this.state !== "online") return;
    if (now() - this.#heardAt > FRESH) this.#ping();
    this.#watch(); // as often as a page that is seen
  }
}

const shown = ({ id, room, to, text, time, state, reason }) => ({ id, room, to, text, time, state, reason });

const failure = (code, text, retry) => Object.assign(new Error(text), { code, retry });

/** jittered is ms, and up to a tenth more. */
const jittered = (ms) => ms * (1 + Math.random() / 10);

/** lateness begins to measure by how much a timer of ms is late; a sleep may show in one clock only. */
function lateness(ms) {
  const [a, b] = [now(), Date.now()];
  return () => Math.max(now() - a, Date.now() - b) - ms;
}
