// The rooms that we are in, or will be once connected, and how far we have read
// in each.
import { jittered, now, pause } from "./time.js";
/** @import { Line } from "./line.js" */
/** @import { Failure, Requests } from "./requests.js" */
/** @import { Joined } from "./types.js" */

const TYPING_EVERY = 3000; // ms

/** @typedef {{ cursor: string, joined: boolean, typedAt: number, timer: number }} Room */

export class Rooms {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  #line;
  #requests;
  #out;

  /**
   * @param {Line} line
   * @param {Requests} requests
   * @param {(room: string, reason: string) => void} out  is told when the server does not let us stay in a room
   */
  constructor(line, requests, out) {
    this.#line = line;
    this.#requests = requests;
    this.#out = out;
  }

  get names() {
    return [...this.#rooms.keys()];
  }

  has(/** @type {string} */ name) {
    return this.#rooms.has(name);
  }

  /** here reports whether the server has let us in. */
  here(/** @type {string} */ name) {
    return this.#rooms.get(name)?.joined === true;
  }

  add(/** @type {string} */ name) {
    this.#rooms.set(name, { cursor: "", joined: false, typedAt: -Infinity, timer: 0 });
    if (this.#line.online) this.#join(name);
  }

  /** leave leaves a room and reports whether it was one of ours. */
  leave(/** @type {string} */ name) {
    if (!this.#delete(name)) return false;
    if (this.#line.online) this.#line.send({ type: "leave", room: name });
    return true;
  }

  /**
   * out is when we are not to be in a room.
   * @param {string} name
   * @param {string} reason
   */
  out(name, reason) {
    this.#delete(name);
    this.#out(name, reason);
  }

  #delete(/** @type {string} */ name) {
    clearTimeout(this.#rooms.get(name)?.timer);
    return this.#rooms.delete(name);
  }

  /** welcomed is when a connection has begun, which is in no room yet. */
  welcomed() {
    for (const name of this.#rooms.keys()) this.#join(name);
  }

  /** dropped is when the connection is gone. */
  dropped() {
    for (const room of this.#rooms.values()) {
      clearTimeout(room.timer);
      room.joined = false;
    }
  }

  /** forget is when somebody else is there in our place, who has read nothing. */
  forget() {
    for (const room of this.#rooms.values()) room.cursor = "";
  }

  async #join(/** @type {string} */ name) {
    const since = this.#rooms.get(name)?.cursor;
    try {
      await this.#requests.ask({ type: "join", room: name, ...(since && { since }) }, () => this.has(name));
    } catch (/** @type {any} */ failure) {
      const { code, message, retry } = /** @type {Failure} */ (failure);
      const room = this.#rooms.get(name);
      if (code === "lost" || !room) return; // the next connection joins anew
      if (code !== "unavailable") {
        this.out(name, message);
        return;
      }
      room.timer = setTimeout(() => this.#line.online && !room.joined && this.#join(name), jittered(pause(retry, 2000)));
    }
  }

  /** joined takes in how far the room is, and reports whether it is one of ours. */
  joined(/** @type {Joined} */ e) {
    const room = this.#rooms.get(e.room);
    if (!room) return false; // left meanwhile
    room.joined = true;
    room.cursor = e.cursor;
    return true;
  }

  /**
   * moved takes in a message's place in its room, and reports whether we are there.
   * @param {string} name
   * @param {string} cursor
   */
  moved(name, cursor) {
    const room = this.#rooms.get(name);
    if (!room?.joined) return false; // left, or not joined anew yet: then it is in what that brings
    room.cursor = cursor;
    return true;
  }

  /** typing tells the others that we write, not more often than it should. */
  typing(/** @type {string} */ name) {
    const room = this.#rooms.get(name);
    if (!room?.joined || now() - room.typedAt < TYPING_EVERY) return;
    room.typedAt = now();
    this.#line.send({ type: "typing", room: name });
  }

  /** wrote is when what was being written is there. */
  wrote(/** @type {string} */ name) {
    const room = this.#rooms.get(name);
    if (room) room.typedAt = -Infinity;
  }
}
