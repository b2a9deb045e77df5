// The connection: made, found dead, and made again, with a wait in between. What
// is said over it is its owner's business.
import { jittered, lateness, now, pause } from "./time.js";
/** @import { State, StateChange } from "./types.js" */

export const SUBPROTOCOL = "chat.v1.framewright";

/**
 * STATES of the connection: connecting; online; waiting (retryIn, then
 * connecting again); refused (the server does not take this name or token: set
 * another); stopped (by close, or because coming back by itself would be wrong).
 * @type {State[]}
 */
export const STATES = ["connecting", "online", "waiting", "refused", "stopped"];

const CLOSE_TOO_BIG = 1009;
const CLOSE_EXPIRED = 4001;
const CLOSE_FINAL = new Map([ // close codes after which PROTOCOL.md says not to come back
  [1003, "unexpected data"], [1008, "refused by the server"], [4003, "removed by an operator"],
]);

// Times in milliseconds.
const SETTLED = 10_000; // online for so long: the next loss is a new story
const FIRST_DELAY = 500; // doubles up to
const LAST_DELAY = 20_000;
const CONNECT_TIMEOUT = 10_000; // from new WebSocket to welcome
const ANSWER_TIMEOUT = 10_000; // a request without an answer: the connection is dead

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

/**
 * @typedef {object} Owner  of a connection, and what it is told
 * @property {(same: () => boolean) => void} opened  it says who we are, and welcomed() once that is answered; same: that it
 *   is this connection still
 * @property {(data: string) => void} heard
 * @property {() => void} probe  it asks for anything at all to come
 * @property {(tooBig: boolean) => void} dropped  nothing is on its way any more; tooBig: because of something that was
 * @property {() => boolean} renewable  whether it has another token for one that has expired
 * @property {(change: StateChange) => void} changed
 */

export class Connection {
  /** @type {State} */
  #state = "stopped";
  #url;
  #owner;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {AbortController | null} */
  #listening = null; // to the browser
  #tries = 0;
  #onlineSince = 0;
  #heardAt = 0;
  #watchTimer = 0;
  /** @type {(() => void) | null} */
  #probe = null; // what ends the wait for an answer
  #restart = 0; // ms after which a restarting server wants us back
  #notBefore = 0; // nothing but the person may try earlier
  #failedAt = -Infinity; // when a try to connect came to nothing
  #nextAt = 0; // when the next one is due
  #timer = 0; // of the next try, or of this one's patience

  /**
   * @param {string | URL} url
   * @param {Owner} owner
   */
  constructor(url, owner) {
    this.#url = url;
    this.#owner = owner;
  }

  get state() {
    return this.#state;
  }

  /** extensions are those of the WebSocket that there is. */
  get extensions() {
    return this.#socket?.extensions ?? "";
  }

  /**
   * connect connects now, also if the next try is not due yet.
   * @param {{ afresh?: boolean }} options  afresh: what went before is forgotten
   */
  connect({ afresh = false } = {}) {
    if (afresh) this.#tries = 0;
    this.#drop();
    this.#notBefore = 0;
    const socket = (this.#socket = new WebSocket(this.#url, SUBPROTOCOL));
    this.#listen();
    this.#timer = setTimeout(() => this.#lost(socket, "no answer"), CONNECT_TIMEOUT);
    socket.onopen = () => this.#owner.opened(() => socket === this.#socket);
    socket.onmessage = (e) => {
      this.#heardAt = now();
      this.#probe?.();
      this.#owner.heard(e.data);
    };
    socket.onclose = (e) => this.#lost(socket, e.reason, e.code);
    this.#become("connecting");
  }

  /** welcomed is when the server knows who we are. */
  welcomed() {
    clearTimeout(this.#timer);
    this.#onlineSince = now();
    this.#restart = 0;
    this.#watch();
    this.#become("online");
  }

  /** close ends the connection, until connect(). */
  close() {
    this.#drop();
    this.#rest("stopped");
  }

  /**
   * refuse ends the connection because of what we said of ourselves.
   * @param {string} reason
   * @param {string} code
   */
  refuse(reason, code) {
    this.#drop();
    this.#rest("refused", { reason, code });
  }

  /**
   * lose gives this connection up for a later one.
   * @param {string} reason
   * @param {unknown} [wait]  milliseconds that the server wants
   */
  lose(reason, wait) {
    if (this.#socket) this.#lost(this.#socket, reason, 0, wait);
  }

  /** restartsIn is when a server that restarts wants us back, in milliseconds. */
  restartsIn(/** @type {unknown} */ ms) {
    this.#restart = pause(ms, 0);
  }

  /** send sends text and reports whether it could: if not, the connection's end comes, and then everything anew. */
  send(/** @type {string} */ text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  /**
   * deadline is when an answer must be there, or the connection is dead. A page
   * that did not run meanwhile may have the answer in its hands unread, so a timer
   * that comes late waits once more, and is renewed.
   * @param {string} reason
   * @param {(timer: number) => void} renewed
   * @returns {number} the timer
   */
  deadline(reason, renewed, ms = ANSWER_TIMEOUT) {
    const socket = this.#socket;
    const lost = () => socket && this.#lost(socket, reason);
    const late = lateness(ms);
    return setTimeout(() => (late() > LATE ? renewed(setTimeout(lost, ms)) : lost()), ms);
  }

  #become(/** @type {State} */ state, more = {}) {
    this.#state = state;
    this.#owner.changed({ state, ...more });
  }

  // #rest is when no other connection follows by itself: then nothing in the
  // browser is to keep this one.
  #rest(/** @type {State} */ state, more = {}) {
    this.#listening?.abort();
    this.#listening = null;
    this.#become(state, more);
  }

  #listen() {
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const wake = () => this.#wake();
    // Not each of them is everywhere: outside of a page none may be.
    const listen = (/** @type {Partial<EventTarget> | undefined} */ target, /** @type {string} */ type, f = wake) =>
      target?.addEventListener?.(type, f, { signal });
    const { document, navigator } = globalThis;
    listen(globalThis, "online");
    listen(globalThis, "offline", () => this.lose("offline"));
    listen(globalThis, "pageshow");
    listen(document, "visibilitychange", () => document.hidden || wake());
    listen(document, "resume");
    if (navigator && "connection" in navigator) listen(/** @type {EventTarget} */ (navigator.connection), "change");
  }

  // #drop lets go of the socket: whatever it still does is not our business.
  #drop(tooBig = false) {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchTimer);
    this.#probe?.();
    if (socket) socket.onclose = socket.onmessage = socket.onopen = null;
    socket?.close();
    this.#owner.dropped(tooBig);
  }

  /**
   * @param {WebSocket} socket
   * @param {string} reason
   * @param {number} [code]
   * @param {unknown} [wait]
   */
  #lost(socket, reason, code = 0, wait) {
    if (socket !== this.#socket) return;
    const was = this.#state;
    if (was === "online" && now() - this.#onlineSince > SETTLED) this.#tries = 0;
    if (was === "connecting") this.#failedAt = now();
    this.#drop(code === CLOSE_TOO_BIG);
    if (this.#socket || this.#state !== was) return; // somebody who was told has decided otherwise
    if (CLOSE_FINAL.has(code)) {
      this.#rest("stopped", { reason: reason || CLOSE_FINAL.get(code), code });
      return;
    }
    if (code === CLOSE_EXPIRED && !this.#owner.renewable()) {
      this.#rest("refused", { reason: reason || "the token has expired", code: "expired" });
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

  #connectAt(/** @type {number} */ time) {
    clearTimeout(this.#timer);
    this.#nextAt = time;
    this.#timer = setTimeout(() => this.connect(), Math.max(time - now(), 0));
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
    if (this.#state !== "online" || this.#probe) return;
    let timer = this.deadline("no answer", (t) => (timer = t), PROBE_TIMEOUT);
    this.#probe = () => {
      clearTimeout(timer);
      this.#probe = null;
    };
    this.#owner.probe();
  }

  // #wake is when the network or the person is back: try at once, or ask whether
  // the connection still is one. A browser may say so often, and be wrong.
  #wake() {
    if (this.#state === "waiting" && now() >= this.#notBefore) {
      const at = this.#failedAt + FRESH;
      if (now() >= at) this.connect();
      else if (at < this.#nextAt) this.#connectAt(at);
    }
    if (this.#state !== "online") return;
    if (now() - this.#heardAt > FRESH) this.#ping();
    this.#watch(); // as often as a page that is seen
  }
}
