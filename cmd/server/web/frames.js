// The panel that shows what goes over the wire.
//
// A browser gives its pages messages and no frames. Where the server's lab is open it
// says what really went, frame by frame, from when the panel is opened, and the
// handshake before it (wire.js). What was before that, and everything where there is no
// lab, is reckoned from the messages, and said to be: it is right for text in one frame
// (RFC 6455 §5.2), and nothing of it is shown on a connection with extensions, which
// make of a message what they like. A masking key is never known then.
import { $, el } from "./dom.js";
import { secret, watch, without } from "./wire.js";
/** @import { Fact } from "../../../lab/web/facts.js" */
/** @import { Lab } from "./wire.js" */
/** @import { Frame } from "./client/types.js" */

const KEEP = 200;

export class Frames {
  #list;
  #mine;
  /** @type {Frame[]} */
  #kept = []; // while the panel is closed, nothing is built
  #open = false;
  #real = false; // the server says what went
  #watched = false; // or is about to
  #last = ""; // the id of its last fact
  #stop = () => {};

  /**
   * @param {HTMLElement} list
   * @param {() => string} mine  this person's secret, which is not shown
   */
  constructor(list, mine) {
    this.#list = list;
    this.#mine = mine;
  }

  add(/** @type {Frame} */ frame) {
    if (this.#real) return;
    $("frames-how").textContent = frame.extensions ? `This connection has ${frame.extensions}: what is on the wire differs, and a page cannot see it.` :
      "A browser shows a page no frames: their headers are reckoned.";
    this.#kept.push(frame);
    if (this.#kept.length > KEEP) this.#kept.shift();
    if (this.#open) this.#reckoned(frame);
  }

  shown(/** @type {boolean} */ open) {
    this.#open = open;
    this.#stop();
    this.#real = this.#watched = false;
    this.#last = "";
    this.#list.replaceChildren();
    if (!open) return;
    for (const f of this.#kept) this.#reckoned(f);
    this.online();
  }

  /** online is told when the server is there, or may be again. */
  online() {
    if (!secret || !this.#open || this.#watched) return;
    this.#watched = true;
    this.#stop = watch(this.#last, (f, id, lab) => this.#fact(f, id, lab), (watching) => this.#watching(watching));
  }

  clear() {
    this.#kept = [];
    this.#list.replaceChildren();
  }

  #watching(/** @type {boolean} */ watching) {
    this.#watched = watching;
    if (watching === this.#real) return;
    this.#real = watching;
    if (!watching) return; // from here on it is reckoned, again
    this.#kept = [];
    $("frames-how").textContent = "From here on the server says what really goes: open a line for every bit of it.";
    if (this.#list.childElementCount) this.#show({}, el("em", {}, "above: reckoned; below: as it went"));
  }

  #fact(/** @type {Fact} */ fact, /** @type {string} */ id, /** @type {Lab} */ lab) {
    this.#last = id;
    const f = without(fact, this.#mine());
    const sent = !f.sent; // by this page: the server looks on
    const { op, head, words } = line(f, lab);
    const details = el("details", {}, el("summary", {}, way(sent),
      el("code", { class: "head" }, head), el("span", { class: "op" }, op), el("span", { class: "size" }, f.kind === "frame" ? `${f.length} B` : ""),
      el("span", { class: "size", title: "since the panel was opened" }, `${(f.ms / 1000).toFixed(3)} s`),
      el("code", { class: "payload" }, words)));
    details.addEventListener("toggle", () => details.append(lab.factView(f)), { once: true });
    this.#show({ class: sent ? "sent" : "received" }, details);
  }

  #reckoned(/** @type {Frame} */ { sent, text, bytes, extensions, time }) {
    this.#show({ class: sent ? "sent" : "received" }, way(sent),
      extensions ? el("span", { class: "head", title: `This connection has ${extensions}: the bytes on the wire are others than the message's, and a page does not get to see them` }, "not to be seen") :
        el("code", { class: "head", title: headTitle(sent, bytes) }, head(sent, bytes)),
      el("span", { class: "op" }, "text"),
      el("span", { class: "size", title: "of the message's text in UTF-8" }, `${bytes} B`),
      el("time", {}, time.toLocaleTimeString()),
      el("code", { class: "payload" }, text));
  }

  /**
   * @param {Record<string, string>} attributes
   * @param {Node[]} children
   */
  #show(attributes, ...children) {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    this.#list.append(el("li", attributes, ...children));
    while (this.#list.childElementCount > KEEP) this.#list.firstElementChild?.remove();
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

const way = (/** @type {boolean} */ sent) =>
  el("span", { class: "way" }, el("span", { "aria-hidden": "true" }, sent ? "↑" : "↓"), el("span", { class: "hidden" }, sent ? "sent" : "received"));

/** line is a fact in a few words. */
function line(/** @type {Fact} */ f, /** @type {Lab} */ lab) {
  switch (f.kind) {
    case "frame": {
      const code = f.rows?.find((r) => r.kind === "code")?.value; // of a Close, with the reason behind it
      return {
        op: f.rows?.find((r) => r.field === "opcode")?.meaning ?? "part of a header", head: lab.spaced(f.wire),
        words: code ? `${code} ${lab.text(f.rows?.find((r) => r.kind === "text")?.bytes)}` : lab.text(f.compressed ? f.content : f.payload),
      };
    }
    case "handshake":
      return { op: "handshake", head: "", words: f.lines?.[0]?.text ?? "" };
    case "breach":
      return { op: "breach", head: "", words: f.rule?.id ?? "" };
    default:
      return { op: "", head: "", words: `${f.gap} are missing: this page was slower than the wire` };
  }
}

// head is what the frame's first bytes must be in hexadecimal if it is one: FIN
// and opcode 1 (text), then MASK and the length in as few bytes as hold it. ??
// stands for each byte of the masking key.
function head(/** @type {boolean} */ masked, /** @type {number} */ bytes) {
  const hex = (/** @type {number} */ n, /** @type {number} */ digits) => n.toString(16).padStart(digits, "0").replace(/(..)(?=.)/g, "$1 ");
  const mask = masked ? 0x80 : 0;
  const length = bytes < 126 ? hex(mask | bytes, 2) :
    bytes < 65536 ? `${hex(mask | 126, 2)} ${hex(bytes, 4)}` : `${hex(mask | 127, 2)} ${hex(bytes, 16)}`;
  return `81 ${length}${masked ? " ?? ?? ?? ??" : ""}`;
}

function headTitle(/** @type {boolean} */ masked, /** @type {number} */ bytes) {
  return `Reckoned from the message, for a frame that holds all of it: FIN=1, opcode=1 (text), ${masked ? "MASK=1: four bytes of masking key follow, which the browser keeps to itself" :
    "MASK=0: a server does not mask"}, length=${bytes}`;
}
