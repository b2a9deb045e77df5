// The chat's client, for any page: one import, no dependency, no build step. What
// it is made of is beside it, in client/, and loaded from there.
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
// Events, by chat.on(name, f):
//   state     { state, retryIn?, reason?, code? }  see STATES in client/connection.js; retryIn: milliseconds
//   renamed   { you, was, text }  the name belongs to an account; we go by another now
//   welcome   { you, text, maxText }  bytes of UTF-8 that a message may have
//   joined    { room, members, people, messages, deleted?, reset }  reset: not just what was missed, but the latest
//   message   { room, cursor, time, from, id, text, mine }
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
//
// The same as types, with those of what the server says: client/types.js. A
// person is { id, name, account? }; account: the name is vouched for.
import { Connection } from "./client/connection.js";
import { Emitter } from "./client/events.js";
import { Line } from "./client/line.js";
import { Outbox } from "./client/outbox.js";
import { Requests } from "./client/requests.js";
import { Rooms } from "./client/rooms.js";
import { HALF, randomText, wellFormed } from "./client/text.js";
import { ServerClock } from "./client/time.js";
import { Tokens } from "./client/tokens.js";
/** @import { Source } from "./client/tokens.js" */
/** @import { Events, History, Joined, Message, Person, Refusal, Said, Stored, Welcome } from "./client/types.js" */

export { STATES, SUBPROTOCOL } from "./client/connection.js";
export { randomText, wellFormed };

const REFUSALS = ["bad-name", "name-taken", "bad-secret", "bad-token", "expired"];

export class Chat {
  /** @type {Emitter<Events>} */
  #events = new Emitter();
  #clock = new ServerClock();
  #connection;
  #line;
  #requests;
  #tokens = new Tokens(() => this.token);
  #rooms;
  #outbox;

  /**
   * @param {string | URL} url of the server's WebSocket, ws: or wss:
   * @param {object} options
   * @param {string} [options.name] not needed with a token that says it
   * @param {string} [options.secret] keep it and give it again: it is who you are
   * @param {Source} [options.token] if the server asks for one
   * @param {boolean} [options.start] false: wait for connect()
   * @param {Storage | null} [options.storage] keeps what was not sent yet, sessionStorage for one
   * @param {string} [options.key] under which it does
   */
  constructor(url, { name, secret = randomText(24), token, start = true, storage = null, key = "framewright outbox" }) {
    this.name = name;
    this.secret = secret;
    this.token = token;
    /** @type {Person | null} set once welcomed */
    this.you = null;
    this.#connection = new Connection(url, {
      opened: (same) => this.#hello(same),
      heard: (data) => this.#receive(data),
      probe: () => this.#line.send({ type: "ping" }),
      dropped: (tooBig) => this.#dropped(tooBig),
      renewable: () => this.#tokens.renewable,
      changed: (change) => this.#events.tell("state", change),
    });
    const line = (this.#line = new Line(this.#connection, this.#events));
    this.#requests = new Requests(line);
    this.#rooms = new Rooms(line, this.#requests, (room, reason) => {
      this.#outbox.fail(reason, room);
      this.#events.tell("left", { room, reason });
    });
    this.#outbox = new Outbox({
      line, storage, key, here: (room) => this.#rooms.here(room), tell: (delivery) => this.#events.tell("delivery", delivery),
    });
    for (const room of this.#outbox.restore()) this.join(room);
    if (start) queueMicrotask(() => this.state === "stopped" && this.connect()); // listeners come first
  }

  /**
   * on calls f with each event of that name; see the top of this file.
   * @template {keyof Events} K
   * @param {K} name
   * @param {(detail: Events[K]) => void} f
   */
  on(name, f) {
    this.#events.on(name, f);
    return this;
  }

  /**
   * off ends what on began.
   * @template {keyof Events} K
   * @param {K} name
   * @param {(detail: Events[K]) => void} f
   */
  off(name, f) {
    this.#events.off(name, f);
    return this;
  }

  /** state is that of the connection: see STATES. */
  get state() {
    return this.#connection.state;
  }

  /** now is the server's time, as far as it is known. */
  now() {
    return this.#clock.now();
  }

  /** connect connects now, also if the next try is not due yet. */
  connect() {
    if (this.#named()) this.#connection.connect();
  }

  /** close ends the connection for good, or until connect(). It leaves no timer and no listener behind. */
  close() {
    this.#connection.close();
  }

  /** rename says hello anew under another name; with another secret, as somebody else. */
  rename(/** @type {string} */ name, secret = this.secret) {
    this.name = name;
    if (secret !== this.secret) {
      this.secret = secret;
      this.#rooms.forget();
      this.#outbox.fail("written under another name");
    }
    if (this.#named()) this.#connection.connect({ afresh: true });
  }

  // #named reports whether our name can be said at all.
  #named() {
    if (this.name === undefined || wellFormed(this.name)) return true;
    this.#connection.refuse(`This name cannot be used: ${HALF}.`, "bad-name");
    return false;
  }

  /** rooms are those that we are in, or will be once connected. */
  get rooms() {
    return this.#rooms.names;
  }

  join(/** @type {string} */ room) {
    if (this.#rooms.has(room)) return;
    if (wellFormed(room)) this.#rooms.add(room);
    else this.#rooms.out(room, `the name of the room cannot be used: ${HALF}`);
  }

  /** leave leaves a room; what was not sent there yet is discarded. */
  leave(/** @type {string} */ room) {
    for (const m of this.#outbox.list) if (m.room === room) this.discard(m.id);
    this.#rooms.leave(room);
  }

  /**
   * send sends text to a room, now or as soon as there is a connection.
   * @param {string} room
   * @param {string} text
   * @returns {string | null} its id; null if too much waits already
   */
  send(room, text) {
    this.join(room);
    const id = this.#outbox.post({ room, text, time: this.now().toISOString() });
    if (id) this.#rooms.wrote(room);
    return id;
  }

  /**
   * sendPrivate sends text to one person, who must be there to get it.
   * @param {Person} to
   * @param {string} text
   * @returns {string | null} as send does
   */
  sendPrivate({ id, name }, text) {
    return this.#outbox.post({ to: { id, name }, text, time: this.now().toISOString() });
  }

  /** outbox is what is not sent yet. */
  get outbox() {
    return this.#outbox.list;
  }

  /** retry sends a failed message again. */
  retry(/** @type {string} */ id) {
    this.#outbox.retry(id, (room) => this.join(room));
  }

  /** discard forgets a message that was not sent. */
  discard(/** @type {string} */ id) {
    this.#outbox.discard(id);
  }

  /** typing tells the others that we write; call it at every key, it does not go out more often than it should. */
  typing(/** @type {string} */ room) {
    this.#rooms.typing(room);
  }

  /**
   * history asks for the messages before a cursor, or the latest, oldest first.
   * @param {string} room that we are in
   * @param {{ before?: string, limit?: number }} [options]
   * @returns {Promise<{ messages: Message[], more: boolean }>} rejects with an Error that has a code
   */
  async history(room, { before, limit } = {}) {
    /** @type {History} */
    const e = await this.#requests.ask({ type: "history", room, ...(before && { before }), ...(limit && { limit }) });
    return { messages: this.#own(room, e.messages), more: e.more };
  }

  // What goes out.

  async #hello(/** @type {() => boolean} */ same) {
    try {
      const token = await this.#tokens.get();
      if (same() && this.#named()) this.#line.send({ type: "hello", name: this.name, secret: this.secret, ...(token && { token }) });
    } catch (/** @type {any} */ err) {
      if (same()) this.#connection.lose(`no token: ${err?.message ?? err}`);
    }
  }

  // What comes in.

  #receive(/** @type {string} */ data) {
    const e = this.#line.read(data);
    if (e.type !== "error") this.#requests.answered(e);
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
      case "private": {
        const mine = this.#mine(e);
        this.#events.tell("private", { ...e, mine });
        if (mine) this.#outbox.delivered(e.id, e.time);
        break;
      }
      case "ack":
        this.#outbox.delivered(e.id, e.time);
        break;
      case "left":
        if (e.reason && this.#rooms.has(e.room)) this.#rooms.out(e.room, e.reason);
        break;
      case "refreshed":
        this.#refreshBefore(e.expiresIn);
        break;
      case "restart":
        this.#connection.restartsIn(e.retry);
        break;
      case "pong":
        this.#clock.set(e.time);
        break;
      case "error":
        this.#refused(e);
        break;
      case "renamed": // and by that name we come back
        this.you = e.you;
        this.name = e.you.name;
        this.#events.tell("renamed", e);
        break;
      case "history":
        break;
      default: // presence, typing, notice, deleted, muted; and whatever a later server knows
        this.#events.tell(e.type, e);
    }
  }

  #mine(/** @type {{ from: Person }} */ { from }) {
    return from.id === this.you?.id;
  }

  /**
   * @param {string} room
   * @param {Stored[]} messages
   * @returns {Message[]}
   */
  #own(room, messages) {
    return messages.map((m) => ({ ...m, room, mine: this.#mine(m) }));
  }

  #welcomed(/** @type {Welcome} */ e) {
    this.you = e.you;
    this.#clock.set(e.time);
    this.#outbox.welcomed();
    this.#connection.welcomed();
    this.#events.tell("welcome", e);
    this.#refreshBefore(e.expiresIn);
    this.#rooms.welcomed();
    this.#outbox.pump(); // private messages wait for no room
  }

  #refreshBefore(/** @type {unknown} */ expiresIn) {
    this.#tokens.refreshBefore(expiresIn, (token) => this.#requests.ask({ type: "refresh", token }));
  }

  #joined(/** @type {Joined} */ e) {
    if (!this.#rooms.joined(e)) return;
    const messages = this.#own(e.room, e.messages);
    this.#events.tell("joined", { ...e, messages, reset: !e.recovered });
    for (const m of messages) if (m.mine) this.#outbox.delivered(m.id, m.time);
    this.#outbox.pump();
  }

  #message(/** @type {Said} */ e) {
    if (!this.#rooms.moved(e.room, e.cursor)) return; // only a message moves it on: an acknowledgement may be an old one
    const [m] = this.#own(e.room, [e]);
    this.#events.tell("message", m);
    if (m.mine) this.#outbox.delivered(e.id, e.time);
  }

  #refused(/** @type {Refusal} */ e) {
    if (this.#outbox.refused(e)) return;
    if (this.state === "connecting") {
      if (REFUSALS.includes(e.code)) this.#connection.refuse(e.text, e.code);
      else this.#connection.lose(e.text, e.retry); // too many, not now: later
    } else if (!this.#requests.answered(e) && e.code !== "rate-limited") {
      this.#events.tell("error", e);
    }
  }

  #dropped(/** @type {boolean} */ tooBig) {
    this.#tokens.stop();
    this.#rooms.dropped();
    this.#requests.dropped();
    this.#outbox.dropped(tooBig);
  }
}
