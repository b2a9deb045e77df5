// One fact, in full: the figure of §5.2 with this frame's own bits in it, then every field.
// All values are those that the server states; nothing is reckoned here.
import { button, el, section } from "./dom.js";
import { bytes, spaced, text } from "./facts.js";
import { inflateView } from "./inflate.js";
/** @import { Fact, Row } from "./facts.js" */

/** WORDS say in a sentence what the RFC asks of a field. */
const WORDS = /** @type {Record<string, string>} */ ({
  "FIN": "1 on the last fragment of a message, which may also be its first. A control frame is never in fragments.",
  "RSV1-3": "0, unless an extension was agreed on that gives them a meaning. Who gets another value without one fails the connection.",
  "opcode": "What the payload is: 1 text, 2 binary, 0 more of the message before; 8 close, 9 ping, a pong. 3 to 7 and b to f are reserved.",
  "MASK": "1 on every frame that a client sends, 0 on every one that a server sends. Either side fails the connection if it is otherwise.",
  "length": "0 to 125 is the payload's length in bytes. 126: it stands in the next 2 bytes. 127: in the next 8. As few bytes as will do.",
  "extended length": "The length, with the most significant byte first. In 8 bytes, the first bit is 0.",
  "masking key": "4 bytes that the client draws anew for each frame. Byte i of the payload is XORed with byte i mod 4 of the key.",
  "payload": "Of a text message UTF-8, of a binary one anything. What the mask covers are these bytes.",
  "code": "Why the connection ends. 1000 is as it should be; 3000 to 4999 are for applications.",
});

/** factView is an element with all that a fact says. */
export function factView(/** @type {Fact} */ f) {
  const view = el("article", { class: "fact" }, el("h3", {}, `${f.seq ? `${f.seq}. ` : ""}${f.title}`));
  if (f.kind === "handshake") view.append(...handshake(f));
  if (f.kind === "frame") view.append(figure(f), payload(f), f.inflate ? inflateView(f.inflate) : "", fields(f));
  if (f.rule) view.append(breach(f.rule));
  return view;
}

/** cells are fields, or parts of them, in lines of so many bits. */
function cells(/** @type {Row[]} */ rows, /** @type {number} */ per) {
  const all = [];
  for (const r of rows) {
    if (r.kind !== "bits" && r.kind !== "number") continue;
    let from = r.at * 8 + (r.kind === "bits" ? r.bit : 0);
    const digits = bytes(r.bytes).map((b) => b.toString(2).padStart(8, "0")).join("").slice(r.kind === "bits" ? r.bit : 0).slice(0, r.width);
    for (let done = 0; done < r.width;) {
      const n = Math.min(per - from % per, r.width - done);
      all.push({ line: Math.floor(from / per), row: r, digits: digits.slice(done, done + n), first: done === 0 });
      from += n;
      done += n;
    }
  }
  return all;
}

const SMALLEST = 24; // px that a bit is wide, to be hit by a finger

/** The figure has 32 bits to a line, as the RFC's; where there is no room for them, 16 or 8. */
const perLine = (/** @type {number} */ width) => [32, 16].find((n) => width >= n * SMALLEST) ?? 8;

/** @type {WeakMap<Element, (per: number) => void>} */
const drawings = new WeakMap();
const sizes = new ResizeObserver((entries) => {
  for (const e of entries) if (e.contentRect.width > 0) drawings.get(e.target)?.(perLine(e.contentRect.width));
});

function figure(/** @type {Fact} */ f) {
  const about = el("p", { class: "about", "aria-live": "polite" }, "Point at a field, or move to it with Tab.");
  const show = (/** @type {Row} */ r) => about.replaceChildren(
    el("strong", {}, `${r.field}${r.value ? ` = ${r.value}` : ""}`), ` ${r.meaning ?? ""} (`, section(r.section) ?? "", "). ", WORDS[r.field] ?? "");
  const bits = el("div", { class: "scroll" });
  const view = el("div", { class: "figure" }, bits, about);
  let now = 0;
  const draw = (/** @type {number} */ per) => {
    if (per !== now) bits.replaceChildren(drawing(f, now = per, show));
  };
  draw(32);
  drawings.set(view, draw);
  sizes.observe(view);
  return view;
}

/** drawing is the header with so many bits to a line. */
function drawing(/** @type {Fact} */ f, /** @type {number} */ per, /** @type {(r: Row) => void} */ show) {
  const table = el("table", { class: "bits" }, el("caption", {}, `The header, bit by bit, ${per} bits to a line (`, section("§5.2"), ")"),
    el("thead", {}, el("tr", {}, ...Array.from({ length: per }, (_, i) => el("th", { scope: "col" }, String(i % 10))))));
  for (const line of Map.groupBy(cells(f.rows ?? [], per), (c) => c.line).values()) {
    table.append(el("tr", {}, ...line.map(({ row, digits, first }) => {
      const b = button({ class: `field${digits.length === 1 ? " one" : ""} f-${row.field.split(/[ -]/)[0].toLowerCase()}`, "aria-label": `${row.field} ${row.value ?? spaced(row.bytes)}: ${row.meaning ?? ""}` }, () => show(row),
        el("span", { class: "digits" }, digits), first && el("span", { class: "name" }, row.field));
      b.addEventListener("focus", () => show(row));
      b.addEventListener("mouseenter", () => show(row));
      return el("td", { colspan: digits.length }, b);
    })));
  }
  return table;
}

const PER_LINE = 16;
const MOST = 32; // lines

/** payload shows the bytes as they are on the wire, without the mask, and inflated. */
function payload(/** @type {Fact} */ f) {
  const rows = (f.rows ?? []).filter((r) => ["masked", "compressed", "code", "text", "data"].includes(r.kind));
  const names = /** @type {Record<string, string>} */ ({ masked: "masked, as it is on the wire", compressed: "without the mask, compressed", code: "the code", text: "text", data: "bytes" });
  return el("div", { class: "payload" }, ...rows.map((r) => el("table", {},
    el("caption", {}, `Payload: ${names[r.kind]} `, section(r.section)),
    ...bytes(r.bytes).slice(0, PER_LINE * MOST).reduce((lines, _, i, all) => (i % PER_LINE ? lines : [...lines, all.slice(i, i + PER_LINE)]), /** @type {number[][]} */ ([])).map((line, i) => {
      const hex = line.map((b) => b.toString(16).padStart(2, "0")).join("");
      return el("tr", {}, el("th", { scope: "row" }, String(i * PER_LINE)), el("td", {}, el("code", {}, spaced(hex))), el("td", {}, r.kind === "text" || r.kind === "data" ? el("code", {}, text(hex)) : ""));
    }))));
}

function fields(/** @type {Fact} */ f) {
  return el("table", { class: "fields" }, el("caption", {}, `At byte ${f.offset} of its direction, ${f.before} → ${f.after}`),
    el("thead", {}, el("tr", {}, ...["byte", "field", "value", "meaning", "section"].map((h) => el("th", { scope: "col" }, h)))),
    ...(f.rows ?? []).map((r) => el("tr", {}, el("td", {}, String(r.at)), el("td", {}, r.field),
      el("td", {}, el("code", {}, r.value ?? (r.kind === "text" ? text(r.bytes) : spaced(r.bytes)))), el("td", {}, r.meaning ?? ""), el("td", {}, section(r.section)))));
}

function handshake(/** @type {Fact} */ f) {
  /** @type {HTMLElement[]} */
  const parts = [el("table", { class: "head" }, el("caption", {}, f.parsed ? "Its lines, as net/http has read or was given them" : "Its lines"),
    ...(f.lines ?? []).filter((l) => l.text).map((l) => el("tr", {}, el("td", {}, el("code", {}, l.text)), el("td", {}, l.meaning ?? ""), el("td", {}, section(l.section)))))];
  if (f.accept) {
    parts.push(el("div", { class: "accept" }, el("h4", {}, "From the key to the answer ", section("§4.2.2")), el("ol", {},
      el("li", {}, "The key, as it was sent: ", el("code", {}, f.accept.key)),
      el("li", {}, "with the protocol's own identifier behind it: ", el("code", {}, f.accept.joined)),
      el("li", {}, "the SHA-1 of that: ", el("code", {}, spaced(f.accept.sha1))),
      el("li", {}, "in base64, which is Sec-WebSocket-Accept: ", el("code", { class: "answer" }, f.accept.accept)))));
  }
  return parts;
}

function breach(/** @type {NonNullable<Fact["rule"]>} */ r) {
  return el("p", { class: "breach", role: "note" }, el("strong", {}, `Breaks ${r.id}: `), `${r.text} (`, section(r.section), `), ${r.cost}.`, r.detail ? ` ${r.detail}` : "");
}
