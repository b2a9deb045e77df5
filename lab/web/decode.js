// The decoder's page: what is pasted or chosen goes to the server, and comes back as facts.
import { ask } from "./ask.js";
import { $, button, el } from "./dom.js";
import { factList } from "./factlist.js";
/** @import { Fact } from "./facts.js" */

/**
 * @typedef {object} Decoded
 * @property {string} format
 * @property {string[] | null} notes
 * @property {{name: string, notes: string[] | null, facts: Fact[]}[]} streams
 */

const MOST = 8 << 20; // bytes, as the server has it

/** @type {Record<string, [string, string]>} */
const EXAMPLES = {
  "a masked text": ["server", "81 85 | 37 fa 21 3d | 7f 9f 4d 51 58"],
  "fragments, and a ping between": ["client", "01 03 48 65 6c\n89 00\n80 02 6c 6f"],
  "an emoji, cut short": ["client", "81 03 f0 9f 98"],
  "a dump of xxd": ["server", "00000000: 8883 0000 0000 03e8 21                   ........!"],
};

const form = /** @type {HTMLFormElement} */ ($("form"));
const input = /** @type {HTMLTextAreaElement} */ ($("text"));
const file = /** @type {HTMLInputElement} */ ($("file"));

const notes = (/** @type {string[] | null} */ list) => (list?.length ? el("ul", { class: "notes" }, ...list.map((n) => el("li", {}, n))) : null);

function show(/** @type {Decoded} */ d) {
  const count = d.streams.reduce((n, s) => n + s.facts.filter((f) => f.kind === "frame").length, 0);
  const broken = d.streams.reduce((n, s) => n + s.facts.filter((f) => f.rule).length, 0);
  $("status").textContent = `${d.format}: ${d.streams.length === 1 ? "one connection" : `${d.streams.length} connections`}, ` +
    `${count === 1 ? "one frame" : `${count} frames`}, ${broken === 0 ? "no rule broken" : broken === 1 ? "one rule broken" : `${broken} rules broken`}.`;
  $("result").replaceChildren(...[notes(d.notes), ...d.streams.map((s) => el("section", {}, el("h3", {}, s.name), notes(s.notes), factList(s.facts)))].filter((e) => e !== null));
}

/** @type {AbortController | undefined} */
let asking;

async function decode() {
  asking?.abort(); // what was asked before counts no more
  const { signal } = asking = new AbortController();
  const chosen = file.files?.[0];
  const body = chosen ?? input.value;
  if (chosen && chosen.size > MOST) {
    complain(`The file has ${chosen.size} bytes, the limit is ${MOST}: filter the capture for one connection first.`);
    return;
  }
  $("status").textContent = "Decoding…";
  try {
    show(await ask(`decode?role=${new FormData(form).get("role")}`, body, signal));
  } catch (e) {
    if (!signal.aborted) complain(/** @type {Error} */ (e).message);
  }
}

function complain(/** @type {string} */ why) {
  $("status").replaceChildren(el("strong", { class: "wrong" }, `Not decoded: ${why}`));
  $("result").replaceChildren();
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  decode();
});
input.addEventListener("input", () => { file.value = ""; });
$("examples").append("Try: ", ...Object.entries(EXAMPLES).map(([name, [role, text]]) => button({ class: "quiet" }, () => {
  file.value = "";
  input.value = text;
  /** @type {HTMLInputElement} */ (form.querySelector(`[value=${role}]`)).checked = true;
  decode();
}, name)));
