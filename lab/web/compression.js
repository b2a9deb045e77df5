// Compression: messages, what one expects of them, and what becomes of each.
import { ask } from "./ask.js";
import { $, el, section } from "./dom.js";
import { text } from "./facts.js";
import { inflateView } from "./inflate.js";
/** @import { Inflate } from "./facts.js" */

/**
 * @typedef {object} Compressed  what became of a message
 * @property {number} length
 * @property {number} compressed
 * @property {number} alone
 * @property {boolean} plain
 * @property {number} sent
 * @property {string} window
 * @property {number} windowLength
 * @property {Inflate} inflate
 */

const say = (/** @type {string} */ from, /** @type {string} */ words) => JSON.stringify({ event: "message", room: "lobby", from, text: words });

const EXAMPLES = /** @type {Record<string, () => string[]>} */ ({
  "The same message twice": () => [say("Ada", "Is anybody here?"), say("Ada", "Is anybody here?")],
  "Lines of a chat": () => [say("Ada", "Is anybody here?"), say("Grace", "Yes, I am here."), say("Ada", "Then let us begin."), say("Grace", "I have begun already.")],
  "Words again and again": () => ["row, row, row your boat, row, row, row", "merrily, merrily, merrily, merrily"],
  "Random hexadecimal": () => [0, 1].map(() => [...crypto.getRandomValues(new Uint8Array(24))].map((b) => b.toString(16).padStart(2, "0")).join("")),
  "Emoji": () => ["😀😃😄😁😆😅", "😀😃😄 and 😁😆😅"],
});

/** messages are the lines that are not empty. */
const messages = () => $("messages").value.split("\n").filter((/** @type {string} */ l) => l !== "");

const size = (/** @type {string} */ s) => new TextEncoder().encode(s).length;

/** asked is the number of the message that one is asked about. */
const asked = () => Math.min(2, messages().length);

function ready() {
  const all = messages();
  const n = asked();
  $("question").textContent = n === 0 ? "Write a message first." :
    `Message ${n} has ${size(all[n - 1])} bytes${n === 2 && all[0] === all[1] ? ", and is the same as the first" : ""}. How many will it take, compressed?`;
  $("go").disabled = n === 0 || !/^\d+$/.test($("guess").value.trim());
}

function another() {
  $("guess").value = "";
  $("status").textContent = "";
  $("result").replaceChildren();
  ready();
}

/** judged is what was expected, beside what was. */
function judged(/** @type {number} */ guess, /** @type {number} */ was) {
  const off = Math.abs(guess - was);
  const [verdict, good] = off === 0 ? ["Exactly so", true] : off <= Math.max(2, was / 10) ? ["Nearly so", true] : ["Not so", false];
  return [el("strong", { class: good ? "right" : "wrong" }, String(verdict)), `: you said ${guess}, it takes ${was} bytes.`];
}

/** fate is what the server sends, and why. */
function fate(/** @type {Compressed} */ m) {
  if (m.plain) return `as it is: compressed it is ${m.compressed > m.length ? "longer" : "no shorter"}`;
  if (m.compressed > m.length) return "compressed, though longer: so both windows stay alike";
  return "compressed";
}

function table(/** @type {Compressed[]} */ all, /** @type {boolean} */ keep) {
  const sum = (/** @type {(m: Compressed) => number} */ f) => all.reduce((n, m) => n + f(m), 0);
  const line = (/** @type {string} */ name, /** @type {(string | number)[]} */ cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((c) => el("td", {}, String(c))));
  const cells = (/** @type {Compressed} */ m) => [m.length, m.compressed, m.alone, keep ? m.alone - m.compressed : 0, fate(m)];
  return el("div", { class: "scroll" }, el("table", { class: "sizes" }, el("caption", {}, "Bytes of payload"),
    el("thead", {}, el("tr", {}, ...["message", "before", "compressed", "without context", "saved by context", "sent"].map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, ...all.map((m, i) => line(String(i + 1), cells(m))),
      line("all", [sum((m) => m.length), sum((m) => m.compressed), sum((m) => m.alone), keep ? sum((m) => m.alone - m.compressed) : 0, `${sum((m) => m.sent)} bytes`]))));
}

/** memory is what the window has before a message. */
function memory(/** @type {Compressed} */ m, /** @type {boolean} */ keep) {
  if (!keep) return el("p", {}, "The window is empty: no context is kept ", section("RFC 7692 §7.1.1"), ".");
  if (m.windowLength === 0) return el("p", {}, "The window is empty: there was no message yet.");
  const cut = m.windowLength > m.window.length / 2;
  return el("details", {}, el("summary", {}, `The window remembers ${m.windowLength} bytes of earlier messages`),
    el("p", {}, el("code", { class: "window" }, cut ? "…" : "", text(m.window))));
}

async function compress() {
  const keep = $("keep").checked;
  const n = asked();
  const guess = Number($("guess").value);
  $("go").disabled = true;
  $("status").textContent = "Compressing…";
  try {
    const { messages: all } = /** @type {{messages: Compressed[]}} */ (await ask("compression", JSON.stringify({ messages: messages(), keep, bits: Number($("bits").value) })));
    $("status").replaceChildren(...judged(guess, all[n - 1].compressed));
    $("result").replaceChildren(table(all, keep), ...all.map((m, i) => el("article", { class: "message", "aria-label": `Message ${i + 1}` },
      el("h3", {}, `Message ${i + 1}: ${m.length} → ${m.compressed} bytes`), memory(m, keep), inflateView(m.inflate))));
  } catch (e) {
    $("status").replaceChildren(el("strong", { class: "wrong" }, `Not compressed: ${/** @type {Error} */ (e).message}`));
  }
  ready();
}

function example() {
  $("messages").value = EXAMPLES[$("example").value]().join("\n");
  another();
}

$("example").append(...Object.keys(EXAMPLES).map((name) => el("option", {}, name)));
$("bits").append(...[15, 14, 13, 12, 11, 10, 9, 8].map((n) => el("option", { value: n }, `${n} bits, ${1 << n} bytes`)));
$("example").addEventListener("change", example);
for (const id of ["messages", "keep", "bits"]) $(id).addEventListener("input", another);
$("guess").addEventListener("input", ready);
$("form").addEventListener("submit", (/** @type {Event} */ e) => {
  e.preventDefault();
  if (!$("go").disabled) compress();
});
example();
