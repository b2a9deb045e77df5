// A compressed message, token by token: its blocks, and in each a row of literals and
// matches. All values are those that the server states.
import { button, el, section } from "./dom.js";
import { bytes, spaced, text } from "./facts.js";
/** @import { Block, Inflate, Token } from "./facts.js" */

const plain = new TextDecoder("utf-8", { fatal: true });

/** shown is what bytes are: text, or hexadecimal where they are a part of a character. */
function shown(/** @type {string} */ hex) {
  try {
    plain.decode(new Uint8Array(bytes(hex)));
  } catch {
    return spaced(hex);
  }
  return text(hex);
}

const count = (/** @type {number} */ n, /** @type {string} */ one) => `${n} ${one}${n === 1 ? "" : "s"}`;

/** says is a token in a sentence. */
function says(/** @type {Token} */ t) {
  const bits = t.code.replace(/[ +]/g, "").length;
  const where = t.kind === "raw" ? `from bit ${t.bit} on` : `bit ${t.bit}${bits > 1 ? `–${t.bit + bits - 1}` : ""}, ${t.code}`;
  const bytes = `“${shown(t.bytes ?? "")}”`;
  switch (t.kind) {
    case "literal":
      return `Literal ${bytes}: ${where}.`;
    case "raw":
      return `${count(t.length ?? 0, "byte")} as they are: ${bytes}, ${where}.`;
    case "end":
      return `The end of the block: ${where}.`;
  }
  const early = t.earlier ? `, ${t.earlier === t.length ? "all of it" : count(t.earlier, "byte")} from earlier messages` : "";
  return `Match ${bytes}: length ${t.length}, distance ${t.distance}${early}; ${where}: the code of the length, then that of the distance, each with what is added to it behind a +.`;
}

/** face is what stands on a token. */
function face(/** @type {Token} */ t) {
  if (t.kind === "end") return ["end"];
  const s = shown(t.bytes ?? "");
  const words = s === " " ? "·" : s.length > 40 ? `${s.slice(0, 40)}…` : s;
  return t.kind === "match" ? [words, el("small", {}, ` ${t.length}←${t.distance}`)] : [words];
}

/**
 * row is the tokens of a block, among which one goes with the arrow keys.
 * @param {Block} b
 * @param {string} name
 * @param {(t: Token) => void} show
 */
function row(b, name, show) {
  const all = b.tokens.map((t, i) => {
    const e = button({ class: `token ${t.kind}${t.earlier ? " earlier" : ""}`, "aria-label": says(t), tabindex: i ? -1 : 0 }, () => choose(i), ...face(t));
    e.addEventListener("focus", () => choose(i));
    e.addEventListener("mouseenter", () => choose(i));
    return e;
  });
  const choose = (/** @type {number} */ i) => {
    const t = b.tokens[i];
    const from = t.at - (t.distance ?? 0);
    all.forEach((e, j) => {
      const other = b.tokens[j];
      const end = other.at + (other.kind === "match" ? other.length ?? 0 : (other.bytes ?? "").length / 2);
      e.tabIndex = i === j ? 0 : -1;
      e.classList.toggle("source", t.kind === "match" && j !== i && other.at < Math.min(t.at, from + (t.length ?? 0)) && end > from);
    });
    show(t);
  };
  const list = el("div", { class: "tokens", role: "toolbar", "aria-label": name }, ...all);
  list.addEventListener("keydown", (e) => {
    const at = all.indexOf(/** @type {any} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to === undefined || !all[to]) return;
    e.preventDefault();
    all[to].focus();
  });
  return list;
}

const TYPES = { stored: "stored as it is", fixed: "fixed codes", dynamic: "codes of its own", reserved: "of the reserved type" };

function block(/** @type {Block} */ b, /** @type {number} */ i, /** @type {(t: Token) => void} */ show) {
  const parts = [`Block ${i + 1}: ${TYPES[b.type]}`, `bits ${b.bit}–${b.bit + b.bits - 1}`, count(b.bytes, "byte"), b.final && "the last (BFINAL)", b.tail && "its end, 00 00 ff ff, is not sent"];
  return el("div", { class: "block" }, el("p", {}, parts.filter(Boolean).join(", "), "."),
    b.codes && el("details", {}, el("summary", {}, `Its codes, in ${b.head} bits of header`), el("table", {},
      el("thead", {}, el("tr", {}, ...["codes of", "bits", "symbols"].map((h) => el("th", { scope: "col" }, h)))),
      ...b.codes.map((c) => el("tr", {}, el("td", {}, c.of), el("td", {}, String(c.bits)), el("td", {}, el("code", {}, c.symbols)))))),
    b.tokens.length > 0 && row(b, `Tokens of block ${i + 1}`, show));
}

/** inflateView is an element with all that is known of a compressed message. */
export function inflateView(/** @type {Inflate} */ m) {
  const about = el("p", { class: "about", "aria-live": "polite" }, "Point at a token, or move to it with Tab and the arrow keys.");
  const show = (/** @type {Token} */ t) => { about.textContent = says(t); };
  return el("div", { class: "inflate" },
    el("h4", {}, "Inflated, token by token ", section("RFC 7692 §7.2.2")),
    el("p", {}, `${m.says}.`),
    m.error && el("p", { class: "breach" }, el("strong", {}, "Wrong at "), m.error),
    ...(m.notes ?? []).map((n) => el("p", { class: "note" }, `Not shown: ${n}.`)),
    ...m.blocks.map((b, i) => block(b, i, show)),
    m.allBlocks > m.blocks.length && el("p", { class: "note" }, `${m.allBlocks - m.blocks.length} more blocks.`),
    el("p", { class: "help" }, "A frame of one line is a literal, a heavy one a match with its length and distance, a double one a match with earlier messages."),
    about);
}
