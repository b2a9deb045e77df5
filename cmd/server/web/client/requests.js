// Requests that have one answer each, which their id tells.
import { jittered, pause } from "./time.js";
/** @import { Line } from "./line.js" */
/** @import { Request, ServerEvent } from "./types.js" */

/** failure is the Error that a request ends with. */
const failure = (/** @type {string} */ code, /** @type {string} */ text, /** @type {number | undefined} */ retry = undefined) =>
  Object.assign(new Error(text), { code, retry });

/**
 * @typedef {ReturnType<typeof failure>} Failure  code: the server's, or "lost", or "left"
 *
 * @typedef {object} Asked
 * @property {Request} request
 * @property {() => boolean} wanted
 * @property {(answer: any) => void} resolve
 * @property {(failure: Failure) => void} reject
 * @property {number} timer
 */

export class Requests {
  #line;
  /** @type {Map<string, Asked>} */
  #asked = new Map();
  #count = 0;

  /** @param {Line} line */
  constructor(line) {
    this.#line = line;
  }

  /**
   * ask makes a request. If the server wants it later it goes out again then, if
   * it is still wanted.
   * @template {ServerEvent} A
   * @param {Request} request
   * @param {() => boolean} wanted
   * @returns {Promise<A>} rejects with a Failure
   */
  ask(request, wanted = () => true) {
    return new Promise((resolve, reject) => {
      if (!this.#line.online) {
        reject(failure("lost", "no connection"));
        return;
      }
      const id = `r${++this.#count}`;
      this.#asked.set(id, { request: { ...request, id }, wanted, resolve, reject, timer: 0 });
      this.#send(id);
    });
  }

  #send(/** @type {string} */ id) {
    const a = this.#asked.get(id);
    if (!a) return;
    if (!a.wanted()) {
      this.#asked.delete(id);
      a.reject(failure("left", "left meanwhile"));
      return;
    }
    a.timer = this.#line.deadline("no answer", (timer) => (a.timer = timer));
    this.#line.send(a.request);
  }

  /**
   * answered takes in what may be an answer, and reports whether it was one.
   * @param {ServerEvent & { id?: string }} e
   */
  answered(e) {
    const { id = "" } = e;
    const a = this.#asked.get(id);
    if (!a) return false;
    clearTimeout(a.timer);
    if (e.type === "error" && e.code === "rate-limited") {
      a.timer = setTimeout(() => this.#send(id), jittered(pause(e.retry, 1000)));
      return true;
    }
    this.#asked.delete(id);
    if (e.type === "error") a.reject(failure(e.code, e.text, e.retry));
    else a.resolve(e);
    return true;
  }

  /** dropped is when the connection is gone, and no answer comes. */
  dropped() {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const a of asked) {
      clearTimeout(a.timer);
      a.reject(failure("lost", "the connection was lost"));
    }
  }
}
