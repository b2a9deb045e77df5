// Broadcast and backpressure: a room of this server, one reader of which gets slow.
import { ask } from "./ask.js";
import { $, el } from "./dom.js";
import { secret } from "./facts.js";
import { factList } from "./factlist.js";
import { chart } from "./roomchart.js";
import { count, isSlow, readerView, time } from "./roomreader.js";
/** @import { Fact } from "./facts.js" */
/** @import { Reader } from "./roomreader.js" */

/**
 * @typedef {{ms: number, kind: string, reader: string, code?: number, reason?: string, text?: string, peak?: number, recovered?: boolean, count: number, pages: number, missing: number, facts?: Fact[]}} Happening
 * @typedef {{ms: number, rate: number, sent: number, acked: number, over?: string, readers: Reader[], events?: Happening[]}} State
 */

/** The settings: name in the address, label, least, most, default, in steps of. */
const SETTINGS = /** @type {[string, string, number, number, number, number][]} */ ([
  ["readers", "Readers", 2, 12, 5, 1],
  ["rate", "Messages a second at first", 0, 200, 25, 1],
  ["text", "Bytes of each message", 16, 1000, 200, 1],
  ["queue", "Bound of a queue, in bytes", 16384, 1048576, 32768, 1],
  ["age", "Its oldest message, in ms", 1000, 30000, 20000, 1],
  ["write", "Time for one write, in ms", 1000, 30000, 20000, 1],
  ["close", "Time for the closing handshake, in ms", 1000, 10000, 5000, 1],
  ["wire", "What the network holds, in bytes", 2048, 65536, 8192, 1],
]);
for (const [name, label, min, max, value, step] of SETTINGS) {
  $("settings").append(el("label", {}, label, el("input", { id: `set-${name}`, type: "number", min, max, value, step, required: true })));
}

const GUESSES = /** @type {[string, string][]} */ ([["others", "the other readers"], ["end", "the slow one"], ["log", "what it has missed"]]);
const said = (/** @type {string} */ id) => $(`say-${id}`);

/** How many events are shown. */
const MOST = 100;

/** @type {EventSource | undefined} */
let source;
/** @type {ReturnType<typeof readerView>[]} */
let views = [];
/** @type {ReturnType<typeof chart> | undefined} */
let figure;

// What the others' latency was before anyone was slow, and since.
let before = 0;
let since = 0;
/** @type {Map<string, {was: string, how: string}>} */
let outcomes = new Map();
/** @type {Set<string>} */
let slowed = new Set(); // who was slow, ever

const ready = () => { $("open").disabled = !!source || GUESSES.some(([id]) => !said(id).value); };

function tell(/** @type {string} */ text, bad = false) {
  $("status").replaceChildren(bad ? el("strong", { class: "wrong" }, text) : text);
}

async function command(/** @type {object} */ c) {
  try {
    await ask("room", JSON.stringify({ secret, ...c }));
  } catch (e) {
    tell(/** @type {Error} */ (e).message, true);
  }
}

function open() {
  const address = new URL("room/stream", document.baseURI);
  address.searchParams.set("secret", secret);
  for (const [name] of SETTINGS) address.searchParams.set(name, $(`set-${name}`).value);
  views = [];
  [before, since, outcomes, slowed] = [0, 0, new Map(), new Set()];
  $("log").replaceChildren();
  $("rate").value = $("set-rate").value;
  verdicts();
  source = new EventSource(address);
  source.addEventListener("state", (e) => state(JSON.parse(e.data)));
  source.addEventListener("refused", (e) => shut(`No room: ${e.data}`, true));
  source.addEventListener("over", (e) => shut(`The room is over: ${e.data}.`));
  source.addEventListener("error", () => shut("The room is over: the server does not answer any more.", true));
  tell("The readers come in…");
  ready();
  $("shut").disabled = false;
}

function shut(/** @type {string} */ why, bad = false) {
  source?.close();
  source = undefined;
  document.body.dataset.room = "over";
  tell(why, bad);
  $("shut").disabled = true;
  ready();
  for (const b of $("readers").querySelectorAll("button")) b.disabled = true;
  $("rate").disabled = true;
}

function state(/** @type {State} */ s) {
  if (views.length === 0) enter(s);
  s.readers.forEach((r, i) => views[i].show(r));
  compare(s.readers);
  figure?.add({ ms: s.ms, values: s.readers.map((r) => (r.latency.count ? r.latency.median : null)) }, s.readers.map((r) => slowed.has(r.name)));
  $("rate-is").textContent = String(s.rate);
  $("sent").textContent = `${count(s.sent, "message")} sent, ${s.acked} acknowledged${s.over ? `; no more: ${s.over}` : ""}`;
  for (const e of s.events ?? []) happened(e);
}

function enter(/** @type {State} */ s) {
  views = s.readers.map((r, i) => readerView(r.name, (c) => command({ ...c, reader: i })));
  figure = chart(s.readers.map((r) => r.name));
  $("readers").replaceChildren(...views.map((v) => v.view));
  $("chart").replaceChildren(figure.view);
  $("room").hidden = false;
  $("rate").disabled = false;
  document.body.dataset.room = "open";
  tell("The room is open. It closes with this page, and after five minutes.");
}

/** compare notes the latency of those who were never slow, before and while somebody is. */
function compare(/** @type {Reader[]} */ readers) {
  for (const r of readers) if (isSlow(r) && r.state !== "coming") slowed.add(r.name);
  const others = readers.filter((r) => !slowed.has(r.name) && r.latency.count);
  const worst = Math.max(0, ...others.map((r) => r.latency.median));
  if (slowed.size === 0) before = Math.max(before, worst);
  else if (readers.some(isSlow)) since = Math.max(since, worst);
}

/** happened puts an event into the log, and into the verdicts. */
function happened(/** @type {Happening} */ e) {
  const at = `${(e.ms / 1000).toFixed(1)} s: `;
  const add = (/** @type {string} */ text) => {
    const frames = e.facts?.length ? factList(e.facts) : null;
    $("log").append(el("li", {}, at, text, frames));
    if (frames && e.kind === "heard") /** @type {HTMLDetailsElement} */ (frames.querySelector("details")).open = true;
    if ($("log").children.length > MOST) $("log").firstElementChild.remove();
    tell(text.replace(/ This is the frame:$/, "")); // which is said aloud; the frames are there for who opens them
  };
  switch (e.kind) {
    case "cut":
      add(e.reason === "slow" ? `The server cuts ${e.reader}: its queue has passed its bound. ${count(e.peak ?? 0, "byte")} were the most that was seen in it.`
        : `The server has lost ${e.reader}: nothing of a write was taken in time, or the connection is broken.`);
      outcomes.set("end", { was: "cut", how: "is cut off by the server" });
      if (since > 0) outcomes.set("others", since > 5 * before && since > 100 ? { was: "wait", how: `have waited: ${time(since)} instead of ${time(before)}` }
        : { was: "go on", how: `get everything as before: the worst median was ${time(before)} before, ${time(since)} since` });
      break;
    case "heard":
      add(e.facts?.length ? `${e.reader} reads why: close ${e.code}, “${e.reason}”. This is the frame:` : `${e.reader} finds the connection at its end (${e.code ?? "no code"}), without a Close frame.`);
      break;
    case "back":
      add(`${e.reader} is back, with its last cursor. ${e.recovered ? `The answer has all that it missed: ${count(e.count, "message")}.` : `What it missed is too much for the answer, which says so, and has the latest ${count(e.count, "message")}.`}`);
      break;
    case "whole":
      add(`${e.reader} has ${e.missing ? "not everything: the log has forgotten " + count(e.missing, "message") : "everything"}. ${count(e.count, "message")} came from the log${e.pages ? `, ${count(e.pages, "page")} of history were asked for` : ""}.`);
      outcomes.set("log", e.missing ? { was: "some", how: `comes but for ${e.missing}` } : { was: "all", how: `comes, all of it: ${count(e.count, "message")}` });
      break;
  }
  verdicts();
}

function verdicts() {
  $("verdicts").tBodies[0].replaceChildren(...GUESSES.map(([id, what]) => {
    const o = outcomes.get(id);
    const right = o?.was === said(id).value;
    return el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, said(id).selectedOptions[0].text), el("td", {}, o?.how ?? "not known yet"),
      el("td", {}, o ? el("strong", { class: right ? "right" : "wrong" }, right ? "right" : "not so") : ""));
  }));
}

for (const [id] of GUESSES) said(id).addEventListener("change", () => { ready(); verdicts(); });
$("form").addEventListener("submit", (/** @type {Event} */ e) => {
  e.preventDefault();
  if (!$("open").disabled) open();
});
$("shut").addEventListener("click", () => shut("The room is closed."));
$("rate").addEventListener("input", () => command({ do: "rate", rate: Number($("rate").value) }));
ready();
