// The live wire: a connection of this page, and what went over it.
import { $, button, el, save } from "./dom.js";
import { at, secret, spaced, watch } from "./facts.js";
import { factView } from "./fact.js";
import { says } from "./factlist.js";
import { States } from "./states.js";
/** @import { Fact } from "./facts.js" */

const KEEP = 500; // facts in the list

/** @type {Fact[]} */
let facts = [];
/** @type {Fact[]} */
let waiting = []; // while the list is paused
/** @type {Fact | undefined} */
let chosen;
/** @type {WebSocket | undefined} */
let socket;
const states = { came: new States($("came")), sent: new States($("sent")) };

const shown = /** @type {Record<string, (f: Fact) => boolean>} */ ({
  all: () => true,
  data: (f) => f.kind === "frame" && f.opcode < 8,
  control: (f) => f.kind === "frame" && f.opcode >= 8,
  handshake: (f) => f.kind === "handshake",
  rule: (f) => f.rule !== undefined,
});

const names = /** @type {Record<number, string>} */ ({ 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" });

/** summary is a fact in one line. */
function summary(/** @type {Fact} */ f) {
  const way = el("span", { class: "way", title: f.sent ? "sent by the server" : "sent by this page" }, f.sent ? "↓" : "↑", el("span", { class: "hidden" }, f.sent ? " server: " : " page: "));
  if (f.kind === "gap") return [el("em", {}, `${f.gap} are missing: this page was slower than the wire`)];
  if (f.kind === "handshake") return [way, el("span", { class: "op" }, "handshake"), el("code", {}, f.lines?.[0]?.text ?? "")];
  if (f.kind === "breach") return [way, el("span", { class: "op" }, "breach"), f.rule?.id ?? ""];
  return [way, el("span", { class: "op" }, names[f.opcode] ?? `opcode ${f.opcode}`), el("code", { class: "wire-bytes" }, spaced(f.wire)),
    el("span", { class: "size" }, `${f.length} B`), el("code", { class: "beginning" }, says(f)),
    f.rule ? el("strong", { class: "broken" }, f.rule.id) : ""];
}

function add(/** @type {Fact} */ f) {
  facts.push(f);
  if (facts.length > KEEP) facts.shift();
  if (f.kind === "frame" && f.after) states[f.sent ? "sent" : "came"].at(f.after);
  if (f.kind === "handshake" && !f.sent) for (const s of Object.values(states)) s.at("ready");
  list(f);
}

function list(/** @type {Fact} */ f) {
  if (!shown[$("filter").value](f)) return;
  const ol = $("facts");
  const atEnd = ol.scrollHeight - ol.scrollTop - ol.clientHeight < 40;
  const item = button({ class: f.sent ? "sent" : "came" }, () => choose(f, item), ...summary(f));
  item.dataset.seq = String(f.seq);
  ol.append(el("li", {}, item));
  while (ol.childElementCount > KEEP) ol.firstElementChild.remove();
  if (atEnd) ol.scrollTop = ol.scrollHeight;
}

function choose(/** @type {Fact} */ f, /** @type {Element} */ item) {
  chosen = f;
  for (const other of document.querySelectorAll("#facts [aria-current]")) other.removeAttribute("aria-current");
  item.setAttribute("aria-current", "true");
  $("fact").replaceChildren(factView(f));
  $("copy").disabled = f.kind !== "frame";
  said(f.title); // to who does not see it
}

function listAll() {
  $("facts").replaceChildren();
  for (const f of facts) list(f);
}

function pausing(/** @type {boolean} */ on) {
  $("pause").setAttribute("aria-pressed", String(on));
  $("step").disabled = !on;
  if (!on) for (const f of waiting.splice(0)) add(f);
  said("");
}

const paused = () => $("pause").getAttribute("aria-pressed") === "true";
const said = (/** @type {string} */ words) => { $("said").textContent = words; };

watch((f) => {
  if (!paused()) return add(f);
  waiting.push(f);
  if (waiting.length > KEEP) waiting.shift();
  said(`${waiting.length} more`);
}, (watching) => {
  document.body.dataset.watching = String(watching);
  $("open").disabled = !watching || socket !== undefined;
  if (!watching) $("state").textContent = "the stream of facts has broken off; the browser tries again";
  else if (!socket) $("state").textContent = "not connected";
});

function connected(/** @type {boolean} */ on) {
  $("open").disabled = on;
  for (const id of ["shut", "send", "send-binary"]) $(id).disabled = !on;
}

$("connect").addEventListener("submit", (/** @type {Event} */ e) => {
  e.preventDefault();
  if (socket) return;
  const chat = $("to").value === "../ws";
  const s = new WebSocket(at($("to").value), chat ? ["chat.v1.framewright"] : []);
  s.binaryType = "arraybuffer";
  socket = s;
  $("open").disabled = true;
  $("state").textContent = "connecting";
  s.addEventListener("open", () => {
    connected(true);
    $("state").textContent = `connected${s.extensions ? `, with ${s.extensions}` : ""}`;
  });
  s.addEventListener("close", (e) => {
    socket = undefined;
    connected(false);
    $("state").textContent = `closed with ${e.code}${e.reason ? `: ${e.reason}` : ""}`;
  });
});

$("shut").addEventListener("click", () => socket?.close(1000, "bye"));
$("form").addEventListener("submit", (/** @type {Event} */ e) => {
  e.preventDefault();
  socket?.send($("text").value);
});
$("send-binary").addEventListener("click", () => socket?.send(new TextEncoder().encode($("text").value)));
$("pause").addEventListener("click", () => pausing(!paused()));
$("step").addEventListener("click", () => {
  const f = waiting.shift();
  if (f) add(f);
  said(waiting.length ? `${waiting.length} more` : "");
});
$("filter").addEventListener("change", listAll);
$("clear").addEventListener("click", () => {
  facts = [];
  waiting = [];
  listAll();
});
$("copy").addEventListener("click", async () => {
  if (!chosen) return;
  const masked = chosen.rows?.find((r) => r.kind === "masked");
  try {
    await navigator.clipboard.writeText(spaced((chosen.wire ?? "") + (masked ? masked.bytes : chosen.payload)));
    said("copied");
  } catch {
    said("the browser does not let this page copy");
  }
});
$("json").addEventListener("click", () => save("wire.json", JSON.stringify(facts, null, 1), "application/json"));
$("pcap").addEventListener("click", async () => {
  const answer = await fetch(new URL(`pcap?secret=${secret}`, document.baseURI));
  if (!answer.ok) return said(await answer.text());
  save("wire.pcap", await answer.blob(), "application/vnd.tcpdump.pcap");
});
