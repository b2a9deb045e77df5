// Events and those who listen to them, as Node.js has it.

/** @typedef {((...args: any[]) => void) & { original?: (...args: any[]) => void }} Listener */

export class Emitter {
  /** @type {Map<string, Listener[]>} */
  #listeners = new Map();

  on(/** @type {string} */ event, /** @type {Listener} */ f) {
    this.#listeners.set(event, [...this.listeners(event), f]);
    return this;
  }

  once(/** @type {string} */ event, /** @type {Listener} */ f) {
    /** @type {Listener} */
    const g = (...args) => {
      this.off(event, g);
      f(...args);
    };
    g.original = f;
    return this.on(event, g);
  }

  /** off takes one listener away, or those of an event, or all. */
  off(/** @type {string} */ event = '', /** @type {Listener | undefined} */ f = undefined) {
    if (event === '') this.#listeners.clear();
    else if (f === undefined) this.#listeners.delete(event);
    else this.#listeners.set(event, this.listeners(event).filter((g) => g !== f && g.original !== f));
    return this;
  }

  listeners(/** @type {string} */ event) {
    return this.#listeners.get(event) ?? [];
  }

  hasListeners(/** @type {string} */ event) {
    return this.listeners(event).length > 0;
  }

  tell(/** @type {string} */ event, /** @type {any[]} */ ...args) {
    for (const f of this.listeners(event)) attempt(f, args);
  }
}

/**
 * attempt calls a listener. Its mistake must not cost a connection: the page hears
 * of it as of any other that nobody caught.
 */
export function attempt(/** @type {Listener} */ f, /** @type {any[]} */ args) {
  try {
    f(...args);
  } catch (e) {
    setTimeout(() => { throw e; }, 0);
  }
}
