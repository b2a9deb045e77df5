// The panel that shows what goes over the wire. A page cannot see frames
// themselves, only messages; for text that comes in one frame, which is what
// this server sends, the header is what it must have been (RFC 6455 §5.2).
import { el } from "./dom.js";

const KEEP = 200;

export class Frames {
  #list;
  #kept = []; // while the panel is closed, nothing is built
  #open = false;

  constructor(list) {
    this.#list = list;
  }

  add(frame) {
    this.#kept.push(frame);
    if (this.#kept.length > KEEP) this.#kept.shift();
    if (this.#open) this.#show(frame);
  }

  shown(open) {
    this.#open = open;
    this.#list.replaceChildren();
    if (open) for (const f of this.#kept) this.#show(f);
  }

  clear() {
    this.#kept = [];
    this.#list.replaceChildren();
  }

  #show({ sent, text, bytes, time }) {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    this.#list.append(el("li", { class: sent ? "sent" : "received" },
      el("span", { class: "way" }, el("span", { "aria-hidden": "true" }, sent ? "↑" : "↓"), el("span", { class: "hidden" }, sent ? "sent" : "received")),
      el("code", { class: "head", title: headTitle(sent, bytes) }, head(sent, bytes)),
      el("span", { class: "op" }, "text"),
      el("span", { class: "size" }, `${bytes} B`),
      el("time", {}, time.toLocaleTimeString()),
      el("code", { class: "payload" }, text)));
    while (this.#list.childElementCount > KEEP) this.#list.firstElementChild.remove();
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

// head is the frame's first bytes in hexadecimal: FIN and opcode 1 (text), then
// MASK and the length in as few bytes as hold it.
function head(masked, bytes) {
  const hex = (n, digits) => n.toString(16).padStart(digits, "0").replace(/(..)(?=.)/g, "$1 ");
  const mask = masked ? 0x80 : 0;
  const length = bytes < 126 ? hex(mask | bytes, 2) :
    bytes < 65536 ? `${hex(mask | 126, 2)} ${hex(bytes, 4)}` : `${hex(mask | 127, 2)} ${hex(bytes, 16)}`;
  return `81 ${length}${masked ? " + key" : ""}`;
}

function headTitle(masked, bytes) {
  return `FIN=1, opcode=1 (text), ${masked ? "MASK=1: four bytes of masking key follow, which the browser keeps to itself" :
    "MASK=0: a server does not mask"}, length=${bytes}`;
}
