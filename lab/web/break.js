// Break it: a violation, what one expects of it, and what comes of it.
import { ask } from "./ask.js";
import { $, el, section } from "./dom.js";
import { spaced } from "./facts.js";
import { factList } from "./factlist.js";
/** @import { Fact } from "./facts.js" */

/**
 * @typedef {{id: string, group: string, victim: "server" | "client", title: string, about: string, request?: string, steps: string[], bytes: number, judged: boolean}} Break
 * @typedef {{facts: Fact[], outcome: string, closed: boolean, end?: string, rule: NonNullable<Fact["rule"]>, judgedAt?: number, file: string, line: number, source: string}} Played
 */

/** @type {Map<string, Break>} */
const all = new Map();

const chosen = () => all.get($("which").value);

function show() {
  const b = chosen();
  if (!b) return;
  $("about").textContent = b.about;
  $("who").textContent = `What will the ${b.victim} do?`;
  $("bytes").replaceChildren(b.request !== undefined ? el("pre", {}, b.request.trimEnd()) :
    el("ol", { "aria-label": "what is sent, piece by piece" }, ...b.steps.map((s) => el("li", {}, el("code", {}, spaced(s)), s.length === 128 && b.bytes > 64 ? ` … ${b.bytes} bytes` : ""))));
  $("at-label").hidden = !b.judged;
  $("says").value = "";
  $("at").value = "";
  $("status").textContent = "";
  $("result").replaceChildren();
  ready();
}

const ready = () => { $("play").disabled = !chosen() || $("says").value === ""; };

/** line is one part of what was predicted, beside what was. */
function line(/** @type {string} */ what, /** @type {string} */ said, /** @type {string} */ was) {
  return el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, said || "no answer"), el("td", {}, was),
    el("td", {}, el("strong", { class: said === was ? "right" : "wrong" }, said === was ? "right" : "not so")));
}

async function play() {
  const b = chosen();
  if (!b) return;
  $("play").disabled = true;
  $("status").textContent = "Sending…";
  try {
    const p = /** @type {Played} */ (await ask("break", JSON.stringify({ id: b.id })));
    $("status").textContent = "";
    $("result").replaceChildren(
      el("table", { class: "prediction" }, el("thead", {}, el("tr", {}, ...["", "you said", "it was", ""].map((h) => el("th", { scope: "col" }, h)))),
        line(`the ${b.victim} says`, $("says").value, p.outcome),
        b.judged && line("it knows after byte", $("at").value.trim(), String(p.judgedAt)),
        b.request === undefined && el("tr", {}, el("th", { scope: "row" }, "who closes"), el("td", {}), el("td", {}, p.closed ? `the ${b.victim}` : "nobody"), el("td", {}))),
      el("p", { class: "breach" }, el("strong", {}, `${p.rule.id}: `), `${p.rule.text} (`, section(p.rule.section), `), ${p.rule.cost}.`, p.rule.detail ? ` Seen: ${p.rule.detail}.` : ""),
      el("p", {}, "Enforced in ", el("a", { class: "where", href: p.source }, el("code", {}, `${p.file}:${p.line}`)), "."),
      el("h3", {}, "The dialogue"), factList(p.facts.slice(0, 200)), p.facts.length > 200 && el("p", {}, `and ${p.facts.length - 200} more`));
  } catch (e) {
    $("status").replaceChildren(el("strong", { class: "wrong" }, `Not sent: ${/** @type {Error} */ (e).message}`));
  }
  ready();
}

const list = /** @type {Break[]} */ (await (await fetch(new URL("breaks", document.baseURI))).json());
for (const [group, breaks] of Map.groupBy(list, (b) => b.group)) {
  $("which").append(el("optgroup", { label: group }, ...breaks.map((b) => {
    all.set(b.id, b);
    return el("option", { value: b.id }, b.title);
  })));
}
$("which").addEventListener("change", show);
$("says").addEventListener("change", ready);
$("form").addEventListener("submit", (/** @type {Event} */ e) => {
  e.preventDefault();
  play();
});
show();
