// Why a way takes what it takes: in words, with requests and answers as they went, and frames.
import { el } from "./dom.js";
import { factList } from "./factlist.js";
import { NAMES, count, millis, total } from "./measure-names.js";
/** @import { Exchange, Plan, Way } from "./measure.js" */

const plural = (/** @type {number} */ n, /** @type {string} */ thing) => `${count(n)} ${thing}${n === 1 ? "" : "s"}`;

/** WHY says it of each way. */
const WHY = /** @type {Record<string, (w: Way, p: Plan) => string>} */ ({
  polling: (w, p) => `${plural(w.requests, "request")}, ${count(w.empty)} of them for nothing, and each has a head, as its answer has: ${count(w.up.heads + w.down.heads)} bytes for ${count(w.down.messages)} of messages. A message waits until the next poll, ${millis(p.poll / 2)} in the middle if they come at any time. To poll more often costs more requests for nothing, and to poll less often, time.`,
  "long-polling": (w, p) => `The server keeps the request until it has a message: ${count(w.pushed)} of ${count(p.messages)} could go at once. But then the answer is over, and the next message needs a new request, with a head of its own: ${plural(w.requests, "request")}, ${count(w.up.heads + w.down.heads)} bytes of heads. The first is the handshake of Engine.IO, the last its end. A message in the envelope has a digit before it, 4, and U+001E between two (shown as ⟨RS⟩).`,
  events: (w) => `One request, one answer, which never ends: ${count(w.up.heads + w.down.heads)} bytes of heads in all. Each message is a line "data: …" and an empty line, ${count(w.down.envelope)} bytes in all, in a chunk with its length before it, ${count(w.down.framing)} bytes. It goes one way only: what the client has to say needs requests of its own. And it is text.`,
  websocket: (w, p) => `The handshake is one request, ${count(w.up.heads + w.down.heads)} bytes with its answer. After it there is no head any more: each message has the header of one frame, ${count((w.down.framing - 4) / p.messages)} bytes to the client, and both sides close with a frame each. From the client to the server it would be 4 more, for the masking key. Both may speak at any time, text or binary.`,
});

/** shown is text of the wire; what does not print is there all the same. */
const shown = (/** @type {string} */ s, /** @type {number} */ whole) => s.replace(/\r\n/g, "\n").replaceAll("\x1e", "⟨RS⟩") + (whole > s.length ? "…" : "");

const exchange = (/** @type {Exchange} */ x) => el("div", {}, el("h4", {}, `${x.about[0].toUpperCase()}${x.about.slice(1)}`), el("div", { class: "exchange" },
  el("div", {}, `→ server, ${count(x.up)} bytes`, el("pre", {}, shown(x.request, x.up))),
  el("div", {}, `← client, ${count(x.down)} bytes`, el("pre", {}, shown(x.answer, x.down)))));

/** why is what there is to say of a way. */
export function why(/** @type {Way} */ w, /** @type {Plan} */ p) {
  const details = el("details", {}, el("summary", {}, el("strong", {}, NAMES[w.way]), `: ${count(total(w))} bytes, ${plural(w.requests, "request")}`),
    el("p", {}, WHY[w.way](w, p)));
  details.addEventListener("toggle", () => {
    details.append(...(w.facts ? [el("p", {}, "The handshake, the first message and the end, as the client saw them:"), factList(w.facts)] : w.exchanges.map(exchange)));
  }, { once: true });
  return details;
}
