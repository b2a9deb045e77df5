// Events and those who listen to them.

/** @template {object} E  what an event's listeners get, by its name */
export class Emitter {
  /** @type {Map<keyof E, ((detail: any) => void)[]>} */
  #listeners = new Map();

  /**
   * on calls f with each event of that name.
   * @template {keyof E} K
   * @param {K} name
   * @param {(detail: E[K]) => void} f
   */
  on(name, f) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), f]);
  }

  /**
   * off ends what on began.
   * @template {keyof E} K
   * @param {K} name
   * @param {(detail: E[K]) => void} f
   */
  off(name, f) {
    this.#listeners.set(name, (this.#listeners.get(name) ?? []).filter((g) => g !== f));
  }

  /** heard reports whether anybody listens. */
  heard(/** @type {keyof E} */ name) {
    return Boolean(this.#listeners.get(name)?.length);
  }

  /**
   * @template {keyof E} K
   * @param {K} name
   * @param {E[K]} detail
   */
  tell(name, detail) {
    for (const f of this.#listeners.get(name) ?? []) {
      try {
        f(detail);
      } catch (err) { // a listener's mistake must not cost messages
        console.error(err);
      }
    }
  }
}
