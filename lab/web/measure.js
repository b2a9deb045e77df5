// HTTP and WebSocket, measured: what one expects, and what the same messages took by four ways.
import { ask } from "./ask.js";
import { $, el, save } from "./dom.js";
import { dots, stack } from "./measure-bars.js";
import { browse } from "./measure-browser.js";
import { NAMES, count, millis, total } from "./measure-names.js";
import { why } from "./measure-why.js";
/** @import { Fact } from "./facts.js" */
/** @import { Browsed } from "./measure-browser.js" */
/** @import { Name } from "./measure-names.js" */

/**
 * @typedef {{heads: number, framing: number, envelope: number, messages: number, total: number}} WireBytes
 * @typedef {{about: string, request: string, answer: string, up: number, down: number}} Exchange
 * @typedef {object} Way  what one way took; times in ms
 * @property {Name} way
 * @property {number} connections
 * @property {number} requests
 * @property {number} empty
 * @property {number} pushed
 * @property {WireBytes} up
 * @property {WireBytes} down
 * @property {number} median
 * @property {number} p99
 * @property {number} worst
 * @property {number} took
 * @property {number[]} latencies
 * @property {Exchange[]} exchanges
 * @property {Fact[]} [facts]
 * @typedef {{messages: number, size: number, every: number, poll: number, browser: boolean}} Plan
 * @typedef {{plan: Plan, ways: Way[], browser?: Browsed[]}} Measured
 */

const largest = (/** @type {Way[]} */ ways, /** @type {(w: Way) => number} */ of) => ways.reduce((a, b) => (of(b) > of(a) ? b : a));

/** FIGURES are the rows of the table. */
const FIGURES = /** @type {[string, (w: Way, p: Plan) => string][]} */ ([
  ["HTTP requests", (w) => count(w.requests)],
  ["answers that brought nothing", (w) => count(w.empty)],
  ["messages pushed", (w, p) => `${count(w.pushed)} of ${count(p.messages)}`],
  ["bytes to the server", (w) => count(w.up.total)],
  ["bytes to the client", (w) => count(w.down.total)],
  ["bytes in all", (w) => count(total(w))],
  ["of which messages", (w) => count(w.down.messages)],
  ["besides, for each message", (w, p) => count(Math.round((total(w) - w.down.messages) / p.messages))],
  ["latency, median", (w) => millis(w.median)],
  ["latency, p99", (w) => millis(w.p99)],
  ["latency, worst", (w) => millis(w.worst)],
  ["time in all", (w) => millis(w.took)],
]);

/** verdict is what was expected beside what was. */
function verdict(/** @type {string} */ what, /** @type {string} */ said, /** @type {Way} */ was, /** @type {string} */ figure) {
  const right = said === was.way;
  return el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, NAMES[/** @type {Name} */ (said)]), el("td", {}, `${NAMES[was.way]}, ${figure}`),
    el("td", {}, el("strong", { class: right ? "right" : "wrong" }, right ? "right" : "not so")));
}

/** @type {Measured | undefined} */
let measured;

function show(/** @type {Measured} */ m) {
  measured = m;
  const most = largest(m.ways, total), slowest = largest(m.ways, (w) => w.median);
  $("verdicts").replaceChildren(el("table", { class: "prediction" },
    el("thead", {}, el("tr", {}, ...["", "you said", "it was", ""].map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, verdict("most bytes", $("most").value, most, `${count(total(most))} bytes`), verdict("longest median latency", $("slowest").value, slowest, millis(slowest.median)))));
  $("columns").replaceChildren(el("tr", {}, el("td", {}), ...m.ways.map((w) => el("th", { scope: "col" }, NAMES[w.way]))));
  $("figures").replaceChildren(...FIGURES.map(([name, of]) => el("tr", {}, el("th", { scope: "row" }, name), ...m.ways.map((w) => el("td", {}, of(w, m.plan))))));
  const scale = total(most), worst = Math.max(...m.ways.map((w) => w.worst));
  $("bytes").replaceChildren(...m.ways.map((w) => stack(w, scale)));
  $("latencies").replaceChildren(...m.ways.map((w) => dots(w, worst)));
  $("why").replaceChildren(...m.ways.map((w) => why(w, m.plan)));
  $("browsed").replaceChildren();
  $("result").hidden = false;
}

/** BROWSED are the rows of the browser's own table. */
const BROWSED = /** @type {[string, (w: Browsed) => string][]} */ ([
  ["HTTP requests", (w) => count(w.requests)],
  ["latency, median", (w) => millis(w.median)],
  ["latency, p99", (w) => millis(w.p99)],
  ["latency, worst", (w) => millis(w.worst)],
]);

function showBrowsed(/** @type {Browsed[]} */ ways) {
  const worst = Math.max(...ways.map((w) => w.worst));
  $("browsed").replaceChildren(el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The browser's own figures" },
    el("table", { class: "figures" }, el("caption", {}, "From when this page asks for a message to when it has it"),
      el("thead", {}, el("tr", {}, el("td", {}), ...ways.map((w) => el("th", { scope: "col" }, NAMES[w.way])))),
      el("tbody", {}, ...BROWSED.map(([name, of]) => el("tr", {}, el("th", { scope: "row" }, name), ...ways.map((w) => el("td", {}, of(w)))))))),
  ...ways.map((w) => dots(w, worst)));
}

const form = /** @type {HTMLFormElement} */ ($("form"));

/** plan is what the form says. */
function plan() {
  const of = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  return { messages: of("messages").valueAsNumber, size: of("size").valueAsNumber, every: of("every").valueAsNumber, poll: of("poll").valueAsNumber, browser: of("browser").checked };
}

const ready = () => { $("measure").disabled = $("most").value === "" || $("slowest").value === ""; };

async function measure() {
  const p = plan();
  const leave = new AbortController();
  $("stop").onclick = () => leave.abort();
  $("measure").disabled = true;
  $("stop").hidden = false;
  $("status").textContent = `Measuring, for some ${count(Math.max(1, Math.ceil((p.messages * p.every + p.poll) / 1000)))} s, and then once more by this browser …`;
  try {
    const m = /** @type {Measured} */ (await ask("measure", JSON.stringify(p), leave.signal));
    show(m);
    $("status").textContent = "Measured by the server; now by this browser …";
    m.browser = await browse(p, leave.signal);
    showBrowsed(m.browser);
    $("status").textContent = "Measured.";
  } catch (e) {
    $("status").replaceChildren(leave.signal.aborted ? "Stopped." : el("strong", { class: "wrong" }, `Not measured: ${/** @type {Error} */ (e).message}`));
  }
  $("stop").hidden = true;
  ready();
}

for (const id of ["most", "slowest"]) {
  $(id).append(...Object.entries(NAMES).map(([way, name]) => el("option", { value: way }, name)));
  $(id).addEventListener("change", ready);
}
form.addEventListener("submit", (e) => {
  e.preventDefault();
  measure();
});
$("save").addEventListener("click", () => measured && save("measured.json", `${JSON.stringify(measured, null, 2)}\n`, "application/json"));
ready();
