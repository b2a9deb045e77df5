// The workshop's page: a frame by its switches, those to send, and the dialogue. The bytes
// and what they mean come from the server, which builds the frame.
import { ask } from "./ask.js";
import { $, button, el } from "./dom.js";
import { factView } from "./fact.js";
import { factList } from "./factlist.js";
import { spaced } from "./facts.js";

/**
 * @typedef {object} Frame  lab.FrameSpec
 * @property {boolean} fin
 * @property {number} rsv
 * @property {number} opcode
 * @property {boolean} masked
 * @property {string} key
 * @property {string} text
 * @property {string} hex
 * @property {string} form
 * @property {string} length
 *
 * @typedef {object} Step  lab.WorkshopStep
 * @property {Frame} frame
 * @property {number[]} cuts
 * @property {number} pause
 */

const OPCODES = ["continuation", "text", "binary", "reserved", "reserved", "reserved", "reserved", "reserved", "close", "ping", "pong", "reserved", "reserved", "reserved", "reserved", "reserved"];
/** @type {Record<string, string>} */
const OUTCOMES = { text: "the text comes back", binary: "the bytes come back", pong: "a pong", "close 1000": "Close, 1000 (normal)", "close 1002": "Close, 1002 (protocol error)", "close 1007": "Close, 1007 (invalid payload)", "close 1009": "Close, 1009 (too big)", "close 1005": "Close, without a code", nothing: "nothing, it waits for more" };
const MOST = 32; // steps: with their cuts, the server has the last word

const form = /** @type {HTMLFormElement} */ ($("form"));
const prediction = /** @type {HTMLSelectElement} */ ($("prediction"));
const send = /** @type {HTMLButtonElement} */ ($("send"));
/** @type {{step: Step, bytes: string}[]} */
let queue = [];
/** The frame as it stands; undefined if it cannot be built. @type {{step: Step, bytes: string} | undefined} */
let built;

$("opcode").append(...OPCODES.map((name, i) => el("option", { value: i, selected: i === 1 }, `${i.toString(16)} ${name}`)));
prediction.append(...Object.entries(OUTCOMES).map(([value, name]) => el("option", { value }, name)));

/** @returns {Step} */
function step() {
  const f = new FormData(form);
  const given = (/** @type {string} */ name) => String(f.get(name) ?? "").trim();
  const payload = String(f.get("payload") ?? "");
  const asHex = f.get("as") === "hex";
  return {
    frame: {
      fin: f.has("fin"), rsv: (f.has("rsv1") ? 4 : 0) | (f.has("rsv2") ? 2 : 0) | (f.has("rsv3") ? 1 : 0), opcode: Number(f.get("opcode")),
      masked: f.has("masked"), key: given("key"), text: asHex ? "" : payload, hex: asHex ? payload.trim() : "", form: given("form"), length: given("length"),
    },
    cuts: given("cuts").split(/[\s,]+/).filter((c) => c !== "").map(Number),
    pause: Number(given("pause")),
  };
}

const deflate = () => new FormData(form).has("deflate");

/** @type {AbortController | undefined} */
let building;

async function build() {
  building?.abort();
  const { signal } = building = new AbortController();
  const asked = step();
  try {
    const b = await ask("workshop/build", JSON.stringify({ frame: asked.frame, deflate: deflate() }), signal);
    const header = b.bytes.slice(0, 2 * b.header);
    built = { step: asked, bytes: b.bytes };
    $("bytes").replaceChildren(el("code", { class: "header" }, spaced(header)), " ", el("code", {}, spaced(b.bytes.slice(2 * b.header))));
    $("wrong").replaceChildren(...(b.notes ?? []).map((/** @type {string} */ n) => el("span", {}, n)));
    $("built").replaceChildren(b.fact ? factView({ ...b.fact, seq: 0 }) : "");
  } catch (e) {
    if (signal.aborted) return;
    built = undefined;
    $("bytes").textContent = "";
    $("built").replaceChildren();
    $("wrong").replaceChildren(el("strong", { class: "wrong" }, /** @type {Error} */ (e).message));
  }
  /** @type {HTMLButtonElement} */ ($("add")).disabled = !built || queue.length >= MOST;
  ready();
}

const ready = () => { send.disabled = prediction.value === "" || queue.length === 0 && !built; };

function showQueue() {
  $("queue").replaceChildren(...queue.map((q, i) => el("li", {}, el("code", {}, spaced(q.bytes.slice(0, 48)), q.bytes.length > 48 && "…"),
    q.step.cuts.length > 0 && ` cut before ${q.step.cuts.join(", ")}`, q.step.pause > 0 && ` pause ${q.step.pause} ms `,
    button({ class: "quiet", "aria-label": `Remove frame ${i + 1}` }, () => {
      queue = queue.filter((other) => other !== q);
      showQueue();
      $("add").focus();
    }, "Remove"))));
  $("queue-empty").hidden = queue.length > 0;
  /** @type {HTMLButtonElement} */ ($("add")).disabled = !built || queue.length >= MOST;
  ready();
}

async function sendAll() {
  const predicted = prediction.value;
  const steps = queue.length > 0 ? queue.map((q) => q.step) : built ? [built.step] : [];
  send.disabled = true;
  $("status").textContent = "Sending…";
  try {
    const d = await ask("workshop", JSON.stringify({ deflate: deflate(), steps }));
    const was = OUTCOMES[d.outcome] ?? d.outcome;
    $("status").replaceChildren(el("strong", { class: d.outcome === predicted ? "right" : "wrong" }, d.outcome === predicted ? "As you said: " : "Not as you said. It was: "),
      was, d.closed ? `. The connection is over${d.end ? `: ${d.end}` : ""}.` : ". The connection is still open.");
    $("dialogue").replaceChildren(factList(d.facts));
  } catch (e) {
    $("status").replaceChildren(el("strong", { class: "wrong" }, `Not sent: ${/** @type {Error} */ (e).message}`));
    $("dialogue").replaceChildren();
  }
  prediction.value = ""; // the next one wants a thought of its own
  ready();
}

form.addEventListener("submit", (e) => e.preventDefault());
form.addEventListener("input", () => {
  built = undefined; // until it is built anew
  ready();
  build();
});
prediction.addEventListener("change", ready);
$("add").addEventListener("click", () => {
  if (built) queue.push(built);
  showQueue();
});
send.addEventListener("click", sendAll);
build();
