// Clocks, and how long to wait, in milliseconds.

/** now is a clock that nobody sets; it may stand still while the computer sleeps. */
export const now = () => performance.now();

// What a server may say about waiting, whatever it says.
const SHORTEST = 100;
const LONGEST = 600_000;

/**
 * pause is how long a server wants us to wait, within reason.
 * @param {unknown} ms  what it says
 * @param {number} fallback  if that is nothing
 */
export function pause(ms, fallback) {
  return typeof ms === "number" && Number.isFinite(ms) && ms >= 0 ? Math.min(Math.max(ms, SHORTEST), LONGEST) : fallback;
}

/** jittered is ms, and up to a tenth more. */
export const jittered = (/** @type {number} */ ms) => ms * (1 + Math.random() / 10);

/** lateness begins to measure by how much a timer of ms is late; a sleep may show in one clock only. */
export function lateness(/** @type {number} */ ms) {
  const [a, b] = [now(), Date.now()];
  return () => Math.max(now() - a, Date.now() - b) - ms;
}

/** A ServerClock shows the server's time, as far as it is known. This computer's may be hours off. */
export class ServerClock {
  /** @type {{ server: number, at: number } | null} */
  #set = null; // server: its time then

  now() {
    return new Date(this.#set ? this.#set.server + now() - this.#set.at : Date.now());
  }

  set(/** @type {string} */ time) {
    const server = Date.parse(time);
    if (!Number.isNaN(server)) this.#set = { server, at: now() };
  }
}
