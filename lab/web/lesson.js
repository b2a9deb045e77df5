// A lesson: what is done is done for real, and exercises are checked. What was solved is
// kept in this browser.
import { accepts } from "./answers.js";
import { $, el } from "./dom.js";
import { at, leave, watch } from "./facts.js";
import { ask } from "./ask.js";
import { factList } from "./factlist.js";
/** @import { Kind } from "./answers.js" */
/** @import { Fact } from "./facts.js" */

const STORE = "framewright.lessons";
const LONGEST = 10_000; // ms, for what is done to come to its end

/** @returns {Record<string, number[]>} the exercises that are solved, by their lesson */
function solved() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    return kept !== null && typeof kept === "object" ? kept : {};
  } catch {
    return {}; // no storage, or not what was kept
  }
}

const solvedOf = (/** @type {string} */ lesson) => {
  const numbers = solved()[lesson];
  return Array.isArray(numbers) ? numbers : [];
};

function keep(/** @type {string} */ lesson, /** @type {number} */ exercise) {
  try {
    localStorage.setItem(STORE, JSON.stringify({ ...solved(), [lesson]: [...new Set([...solvedOf(lesson), exercise])] }));
  } catch {
    // a browser that keeps nothing still checks
  }
}

/** exercise checks answers of the form with this number. */
function exercise(/** @type {HTMLFormElement} */ form, /** @type {number} */ i, /** @type {string} */ lesson) {
  const answers = /** @type {string[]} */ (JSON.parse(form.dataset.answers ?? "[]"));
  const kind = /** @type {Kind} */ (form.dataset.kind);
  const input = /** @type {HTMLInputElement} */ (form.querySelector("input"));
  const output = /** @type {HTMLOutputElement} */ (form.querySelector("output"));
  const because = /** @type {HTMLElement} */ (form.querySelector(".because"));
  const right = (/** @type {string} */ words) => {
    output.className = "right";
    output.textContent = words;
    because.hidden = false;
  };
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (accepts(kind, answers, input.value)) {
      keep(lesson, i);
      return right("Right.");
    }
    output.className = "wrong";
    output.textContent = input.value.trim() === "" ? "Write an answer first." : "Not yet.";
  });
  if (solvedOf(lesson).includes(i)) right("Solved before.");
}

/** browser sends messages by the browser's own WebSocket, and closes when as many came back. */
function browser(/** @type {{to: string, protocols: string[] | null, send: string[], answers: number}} */ what) {
  const facts = /** @type {Fact[]} */ ([]);
  return new Promise((resolve, reject) => {
    /** @type {WebSocket | undefined} */
    let s;
    const end = (/** @type {() => void} */ f) => {
      clearTimeout(timer);
      stop();
      s?.close();
      leave().then(f); // when it is done once more, it begins anew
    };
    const timer = setTimeout(() => end(() => reject(new Error("This took too long: is the server still running?"))), LONGEST);
    const closed = () => facts.filter((f) => f.kind === "frame" && f.opcode === 8).length === 2;
    const stop = watch((f) => {
      facts.push(f);
      if (closed()) end(() => resolve(facts));
    }, (watching) => {
      if (!watching || s) return;
      s = new WebSocket(at(what.to), what.protocols ?? []);
      const socket = s;
      let came = 0;
      socket.addEventListener("open", () => what.send.forEach((m) => socket.send(m)));
      socket.addEventListener("message", () => { if (++came === what.answers) socket.close(1000, "bye"); });
    });
  });
}

async function doIt(/** @type {any} */ what) {
  $("try").disabled = true;
  $("status").textContent = "Doing it…";
  try {
    const facts = what.plan ? (await ask("workshop", JSON.stringify(what.plan))).facts : await browser(what);
    $("facts").replaceChildren(factList(facts));
    $("status").textContent = "Done. Each line opens.";
  } catch (e) {
    $("status").textContent = /** @type {Error} */ (e).message;
  }
  $("try").disabled = false;
}

const lesson = $("main").dataset.lesson;
if (lesson) {
  document.querySelectorAll("form.exercise").forEach((form, i) => exercise(/** @type {HTMLFormElement} */ (form), i, lesson));
  const what = JSON.parse($("try").dataset.try);
  $("try").addEventListener("click", () => doIt(what));
}
for (const done of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".done"))) {
  const n = solvedOf(done.dataset.lesson ?? "").length;
  if (n) done.append(el("span", {}, `${n} of ${done.dataset.of} solved`));
}
