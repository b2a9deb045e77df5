// A list of facts: a line each, and all of one when it is opened.
import { el } from "./dom.js";
import { factView } from "./fact.js";
import { text } from "./facts.js";
/** @import { Fact } from "./facts.js" */

/** says is what a frame carries, in a few characters. */
export function says(/** @type {Fact} */ f) {
  const hex = f.content || (f.rows?.find((r) => r.kind === "text" || r.kind === "data")?.bytes ?? "");
  const code = f.rows?.find((r) => r.kind === "code")?.value;
  const said = text(hex.slice(0, 80));
  return [code, said && `“${said}${hex.length > 80 ? "…" : ""}”`].filter(Boolean).join(" ");
}

/** line is a fact in one line. */
function line(/** @type {Fact} */ f) {
  const from = f.sent ? f.role : f.role === "server" ? "client" : "server";
  if (f.kind === "handshake") return `${from}: ${(f.head ?? "").split("\r\n")[0]}`;
  if (f.kind !== "frame") return `${from}: ${f.title}`;
  const name = f.rows?.find((r) => r.field === "opcode")?.meaning ?? "part of a header";
  return `${from}: ${name}${f.fin || !f.rows ? "" : ", not the last"}, ${f.length} bytes ${says(f)}`;
}

/**
 * factList shows facts; those that break a rule are open at once.
 * @param {(Fact & { headerOnly?: boolean })[]} facts
 */
export function factList(facts) {
  return el("ol", { class: "facts" }, ...facts.map((f) => {
    const details = el("details", { class: f.rule && "broken" }, el("summary", {},
      el("span", { class: f.sent ? "way sent" : "way" }, f.sent ? "← " : "→ "), line(f), f.rule && el("strong", {}, ` breaks ${f.rule.id}`)));
    let shown = false;
    const show = () => {
      if (shown) return;
      shown = true;
      details.append(factView(f));
      if (f.headerOnly) details.append(el("p", { class: "help" }, "The file has this frame's header only: its payload and its masking key are not known."));
    };
    details.addEventListener("toggle", show);
    if (f.rule || facts.length === 1) {
      details.open = true;
      show();
    }
    return el("li", {}, details);
  }));
}
