// The panel that shows what goes over the wire, as far as a page can know it. A
// browser gives its pages messages and no frames. What is shown of a frame's
// header is reckoned from that, and said to be: it is right for text in one frame
// (RFC 6455 §5.2), and nothing of it is shown on a connection with extensions,
// which make of a message what they like. A masking key is never known.
import { $, el } from "./dom.js";
/** @import { Frame } from "./client/types.js" */

const KEEP = 200;

export class Frames {
  #list;
  /** @type {Frame[]} */
  #kept = []; // while the panel is closed, nothing is built
  #open = false;

  constructor(/** @type {HTMLElement} */ list) {
    this.#list = list;
  }

  add(/** @type {Frame} */ frame) {
    $("frames-how").textContent = frame.extensions ? `This connection has ${frame.extensions}: what is on the wire differs, and a page cannot see it.` :
      "A browser shows a page no frames: their headers are reckoned.";
    this.#kept.push(frame);
    if (this.#kept.length > KEEP) this.#kept.shift();
    if (this.#open) this.#show(frame);
  }

  shown(/** @type {boolean} */ open) {
    this.#open = open;
    this.#list.replaceChildren();
    if (open) for (const f of this.#kept) this.#show(f);
  }

  clear() {
    this.#kept = [];
    this.#list.replaceChildren();
  }

  #show(/** @type {Frame} */ { sent, text, bytes, extensions, time }) {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    this.#list.append(el("li", { class: sent ? "sent" : "received" },
      el("span", { class: "way" }, el("span", { "aria-hidden": "true" }, sent ? "↑" : "↓"), el("span", { class: "hidden" }, sent ? "sent" : "received")),
      extensions ? el("span", { class: "head", title: `This connection has ${extensions}: the bytes on the wire are others than the message's, and a page does not get to see them` }, "not to be seen") :
        el("code", { class: "head", title: headTitle(sent, bytes) }, head(sent, bytes)),
      el("span", { class: "op" }, "text"),
      el("span", { class: "size", title: "of the message's text in UTF-8" }, `${bytes} B`),
      el("time", {}, time.toLocaleTimeString()),
      el("code", { class: "payload" }, text)));
    while (this.#list.childElementCount > KEEP) this.#list.firstElementChild?.remove();
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
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
