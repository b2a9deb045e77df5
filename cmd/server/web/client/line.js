// What is said over a connection: requests out, events in, each a JSON object.
/** @import { Connection } from "./connection.js" */
/** @import { Emitter } from "./events.js" */
/** @import { Events, Request, ServerEvent } from "./types.js" */

const SECRETS = ["secret", "token"];
const encoder = new TextEncoder();

export class Line {
  #connection;
  #events;

  /**
   * @param {Connection} connection
   * @param {Emitter<Events>} events  of which frame is told here
   */
  constructor(connection, events) {
    this.#connection = connection;
    this.#events = events;
  }

  /** online reports whether somebody hears what is sent. */
  get online() {
    return this.#connection.state === "online";
  }

  send(/** @type {Request} */ r) {
    const text = JSON.stringify(r);
    if (!this.#connection.send(text)) return;
    const blotted = Object.fromEntries(SECRETS.filter((k) => r[k]).map((k) => [k, "…"]));
    this.#show(true, text, JSON.stringify({ ...r, ...blotted }));
  }

  /** @returns {ServerEvent} */
  read(/** @type {string} */ text) {
    this.#show(false, text);
    return JSON.parse(text);
  }

  #show(/** @type {boolean} */ sent, /** @type {string} */ text, display = text) {
    if (!this.#events.heard("frame")) return;
    this.#events.tell("frame", { sent, text: display, bytes: encoder.encode(text).length, extensions: this.#connection.extensions, time: new Date() });
  }

  /**
   * deadline is when an answer must be there, or the connection is dead.
   * @param {string} reason
   * @param {(timer: number) => void} renewed  hears of another timer in its place
   */
  deadline(reason, renewed) {
    return this.#connection.deadline(reason, renewed);
  }
}
