// Days, as people here reckon them: by the server's clock, in the time zone of
// this computer.

const OFTEN = 60_000; // ms; a computer that has slept through midnight shows it so late at most

/** same reports whether two times are on one day. */
export const same = (/** @type {Date} */ a, /** @type {Date} */ b) => a.toDateString() === b.toDateString();

/** untilMidnight is how many milliseconds there are left of a day, which may have 23 hours or 25. */
export function untilMidnight(/** @type {Date} */ now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime();
}

/**
 * eachDay calls f whenever another day has begun. It returns a function that looks
 * at once, for when the clock may have been set, or the page was asleep.
 * @param {() => Date} now
 * @param {() => void} f
 */
export function eachDay(now, f) {
  let day = now();
  let timer = 0;
  function look() {
    clearTimeout(timer);
    const today = now();
    const over = !same(day, today);
    day = today;
    timer = setTimeout(look, Math.min(untilMidnight(today), OFTEN));
    if (over) f();
  }
  look();
  return look;
}
