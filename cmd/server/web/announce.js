// What a screen reader is told. One place, so that it is told neither twice nor
// all of a room's history: what comes at once is said together, and many
// messages are only counted.
import { el } from "./dom.js";

const TOGETHER = 400; // ms
const MANY = 3; // messages that are still read out

export class Announcer {
  #region;
  /** @type {string[]} */
  #texts = [];
  #timer = 0;

  constructor(/** @type {HTMLElement} */ region) {
    this.#region = region;
  }

  say(/** @type {string} */ text) {
    this.#texts.push(text);
    this.#timer ||= setTimeout(() => this.#flush(), TOGETHER);
  }

  #flush() {
    this.#timer = 0;
    const texts = this.#texts.splice(0);
    this.#region.replaceChildren(el("p", {}, texts.length > MANY ? `${texts.length} new messages` : texts.map((t) => (/[.!?…]$/.test(t) ? t : `${t}.`)).join(" ")));
  }
}
