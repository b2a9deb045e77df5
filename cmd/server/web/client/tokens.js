// Tokens: one for each hello, and another in good time before it expires. By
// itself the client fetches them seldom, whatever the server says of their life.
import { now } from "./time.js";

const REFRESH_EARLY = 30_000; // ms before a token expires
const EVERY = 1000; // ms between two; doubles up to
const SELDOM = 20_000;
const LONGEST = 2 ** 31 - 1; // ms that a timer can wait

/** @typedef {string | (() => string | Promise<string>) | undefined} Source  of tokens */

export class Tokens {
  #source;
  #fetched = -Infinity; // when the last one was
  #gap = EVERY;
  #timer = 0;

  /** @param {() => Source} source  which may change */
  constructor(source) {
    this.#source = source;
  }

  /** renewable reports whether there can be another one. */
  get renewable() {
    return typeof this.#source() === "function";
  }

  /** get gets the token, and remembers when. */
  get() {
    const source = this.#source();
    if (typeof source !== "function") return source;
    const since = now() - this.#fetched;
    this.#gap = since > 3 * this.#gap ? EVERY : Math.min(2 * this.#gap, SELDOM);
    this.#fetched = now();
    return source();
  }

  /**
   * refreshBefore brings another one in good time.
   * @param {unknown} expiresIn  milliseconds, as the server says
   * @param {(token: string | undefined) => Promise<unknown>} refresh
   */
  refreshBefore(expiresIn, refresh) {
    this.stop();
    if (typeof expiresIn !== "number" || !Number.isFinite(expiresIn) || !this.renewable) return;
    const since = now();
    const due = Math.max(expiresIn - REFRESH_EARLY, expiresIn / 2);
    const allowed = this.#fetched + this.#gap - since;
    const timer = setTimeout(async () => {
      try {
        await refresh(await this.get());
      } catch {
        const left = expiresIn - (now() - since);
        if (left > 0 && timer === this.#timer) this.refreshBefore(left, refresh);
        // When it is too late the server closes with 4001, and a new token comes with the hello.
      }
    }, Math.min(Math.max(due, allowed, 0), LONGEST));
    this.#timer = timer;
  }

  /** stop is when there is no connection for which to refresh. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }
}
