// The frames as they really went, where the server has its lab open: what it says of this
// page's own connection. The parts that show them are the lab's own, and are loaded when
// they are first asked for.
/** @import { Fact } from "../../../lab/web/facts.js" */

/** @typedef {typeof import("../../../lab/web/facts.js") & typeof import("../../../lab/web/fact.js")} Lab */

/** LAB is where the lab is, beside the page; null if it is closed. */
const LAB = document.documentElement.dataset.lab ? new URL(document.documentElement.dataset.lab, document.baseURI).href : null;

/** secret is 128 random bits by which the server knows this page, or empty where there is no lab. */
export const secret = LAB && [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/** @type {Promise<Lab> | undefined} */
let loading;

/** load has the lab's parts, and its style. */
function load() {
  loading ??= (async () => {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${LAB}fact.css` });
    document.head.append(style);
    const [facts, fact] = await Promise.all(["facts.js", "fact.js"].map((name) => import(`${LAB}${name}`)));
    return { ...facts, ...fact };
  })();
  loading.catch(() => { loading = undefined; }); // the server was away: it is tried again
  return loading;
}

/**
 * watch calls onFact with each fact of this page's connections that is behind an id, and
 * onState when the stream begins, or has ended. What it returns ends it.
 * @param {string} after
 * @param {(f: Fact, id: string, lab: Lab) => void} onFact
 * @param {(watching: boolean) => void} onState
 */
export function watch(after, onFact, onState) {
  let wanted = true;
  let stop = () => {};
  const end = () => {
    wanted = false;
    stop();
  };
  load().then((lab) => {
    if (!wanted) return;
    stop = lab.watch((f, id) => onFact(f, id, lab), (watching) => {
      if (!watching) end(); // a browser would ask every second, and complain
      onState(watching);
    }, { own: /** @type {string} */ (secret), after });
  }, () => onState(false));
  return end;
}

/**
 * without is a fact in which no byte of some text stands, which is this person's secret:
 * a panel may be shown to a class.
 * @param {Fact} f
 * @param {string} text
 * @returns {Fact}
 */
export function without(f, text) {
  const hex = (/** @type {string} */ s) => [...new TextEncoder().encode(s)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const hidden = hex(text);
  if (!hidden || ![f.payload, f.content].some((h) => h?.includes(hidden))) return f;
  const clean = (/** @type {string | undefined} */ h) => h?.replaceAll(hidden, hex("*".repeat(hidden.length / 2)));
  const rows = f.rows?.filter((r) => r.kind !== "masked" && r.kind !== "compressed").map((r) => ({ ...r, bytes: clean(r.bytes) ?? "" }));
  return { ...f, payload: f.compressed ? "" : clean(f.payload), content: clean(f.content), rows, inflate: undefined };
}
