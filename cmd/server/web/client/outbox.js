// What was written and is not acknowledged yet: it goes out in the order in which
// it was written, again under the same id if need be, and may outlast a reload.
import { now, pause } from "./time.js";
import { HALF, randomText, wellFormed } from "./text.js";
/** @import { Line } from "./line.js" */
/** @import { Delivery, Person, Refusal } from "./types.js" */

const WINDOW = 16; // sends under way at one time
const MESSAGES = 200; // that wait to be sent, and
const CHARS = 500_000; // their text in all
const PATIENCE = 5; // refusals of a message for now until it has failed

/** @typedef {Delivery & { flying: boolean, tries: number, timer: number }} Entry */

/** @returns {Delivery} */
const shown = (/** @type {Delivery} */ { id, room, to, text, time, state, reason }) => ({ id, room, to, text, time, state, reason });

const sendable = (/** @type {Delivery} */ m) => [m.text, m.room ?? ""].every(wellFormed);
const UNSENDABLE = `Not sent: ${HALF}.`;

export class Outbox {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #line;
  #here;
  #tell;
  #storage;
  #key;
  #held = 0; // sends wait until then
  #timer = 0;

  /**
   * @param {object} o
   * @param {Line} o.line
   * @param {(room: string) => boolean} o.here  whether we are in a room, so that it takes messages
   * @param {(delivery: Delivery) => void} o.tell  of each change
   * @param {Storage | null} o.storage  keeps what is not sent yet
   * @param {string} o.key  under which it does
   */
  constructor({ line, here, tell, storage, key }) {
    this.#line = line;
    this.#here = here;
    this.#tell = tell;
    this.#storage = storage;
    this.#key = key;
  }

  /** list is what is not sent yet. */
  get list() {
    return [...this.#entries.values()].map(shown);
  }

  /**
   * post takes a message in, to a room or to a person.
   * @param {{ room?: string, to?: Person, text: string, time: string }} message
   * @returns {string | null} its id; null if too much waits already
   */
  post({ room, to, text, time }) {
    let chars = text.length;
    for (const m of this.#entries.values()) chars += m.text.length;
    if (this.#entries.size >= MESSAGES || chars > CHARS) return null;
    /** @type {Entry} */
    const m = { id: randomText(12), room, to, text, time, state: "sending", flying: false, tries: 0, timer: 0 };
    this.#entries.set(m.id, m);
    this.#queue(m);
    return m.id;
  }

  /**
   * retry sends a failed message again.
   * @param {string} id
   * @param {(room: string) => void} join  what it takes for that
   */
  retry(id, join) {
    const m = this.#entries.get(id);
    if (m?.state !== "failed") return;
    if (m.room) join(m.room);
    Object.assign(m, { state: "sending", reason: undefined, tries: 0 });
    this.#queue(m);
  }

  /** discard forgets a message that was not sent. */
  discard(/** @type {string} */ id) {
    const m = this.#entries.get(id);
    if (!m) return;
    clearTimeout(m.timer);
    this.#entries.delete(id);
    m.state = "discarded";
    this.#changed(m);
  }

  // #queue tells of what is to be sent, and sends it if it can be.
  #queue(/** @type {Entry} */ m) {
    this.#changed(m);
    if (sendable(m)) this.pump();
    else this.#fail(m, UNSENDABLE);
  }

  /** pump sends what may go out, in the order in which it was written. */
  pump() {
    clearTimeout(this.#timer);
    if (!this.#line.online) return;
    const wait = this.#held - now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.pump(), wait);
      return;
    }
    let flying = 0;
    for (const m of this.#entries.values()) flying += m.flying ? 1 : 0;
    for (const m of this.#entries.values()) {
      if (flying >= WINDOW) return;
      if (m.state !== "sending" || m.flying || (m.room !== undefined && !this.#here(m.room))) continue;
      m.flying = true;
      flying++;
      m.timer = this.#line.deadline("no acknowledgement", (timer) => (m.timer = timer));
      const { id, text, room } = m;
      this.#line.send(room !== undefined ? { type: "send", room, id, text } : { type: "private", to: m.to?.id, id, text });
    }
  }

  #changed(/** @type {Entry} */ m) {
    this.#save();
    this.#tell(shown(m));
  }

  /**
   * delivered is when the server has a message.
   * @param {string} id
   * @param {string} [time]
   */
  delivered(id, time) {
    const m = this.#entries.get(id);
    if (!m) return;
    clearTimeout(m.timer);
    this.#entries.delete(id);
    Object.assign(m, { state: "sent", time: time ?? m.time });
    this.#changed(m);
    this.pump();
  }

  /** refused takes in a refusal, for now or for good, and reports whether it is of a message on its way. */
  refused(/** @type {Refusal} */ e) {
    const m = this.#entries.get(e.id ?? "");
    if (!m?.flying) return false;
    clearTimeout(m.timer);
    m.flying = false;
    const later = e.code === "rate-limited" || (e.code === "unavailable" && m.tries++ < PATIENCE);
    if (!later) this.#fail(m, e.text);
    else this.#held = Math.max(this.#held, now() + pause(e.retry, 1000 * 2 ** m.tries));
    this.pump();
    return true;
  }

  /** welcomed is when a connection has begun: no wait of the one before counts. */
  welcomed() {
    this.#held = 0;
  }

  /** dropped is when the connection is gone. tooBig: because of one of those on their way, which would end the next the same way. */
  dropped(tooBig = false) {
    clearTimeout(this.#timer);
    const flying = [...this.#entries.values()].filter((m) => m.flying);
    for (const m of flying) {
      clearTimeout(m.timer);
      m.flying = false;
    }
    if (tooBig) for (const m of flying) this.#fail(m, "perhaps too long for the server");
  }

  /**
   * fail gives up what is meant for a room, or everything.
   * @param {string} reason
   * @param {string} [room]
   */
  fail(reason, room) {
    for (const m of this.#entries.values()) if (room === undefined || m.room === room) this.#fail(m, reason);
  }

  #fail(/** @type {Entry} */ m, /** @type {string} */ reason) {
    clearTimeout(m.timer);
    Object.assign(m, { state: "failed", reason, flying: false });
    this.#changed(m);
  }

  #save() {
    try {
      const kept = this.list;
      if (kept.length > 0) this.#storage?.setItem(this.#key, JSON.stringify(kept));
      else this.#storage?.removeItem(this.#key);
    } catch { /* full or forbidden: then it lasts as long as the page */ }
  }

  /**
   * restore brings back what an earlier page has kept.
   * @returns {string[]} the rooms that it is to be sent to
   */
  restore() {
    const rooms = [];
    try {
      for (const m of JSON.parse(this.#storage?.getItem(this.#key) ?? "[]").slice(0, MESSAGES)) {
        const whole = [m.id, m.text, m.time, m.room ?? m.to?.id].every((s) => typeof s === "string" && s);
        if (!whole || !["sending", "failed"].includes(m.state)) continue;
        if (!sendable(m)) Object.assign(m, { state: "failed", reason: UNSENDABLE });
        this.#entries.set(m.id, { ...shown(m), flying: false, tries: 0, timer: 0 });
        if (m.room && m.state === "sending") rooms.push(m.room);
      }
    } catch { /* not ours */ }
    return rooms;
  }
}
