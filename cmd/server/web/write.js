import { wellFormed } from "./client/text.js";

// What the boxes for writing need: not to send what an input method is still at,
// and to say what is too long instead of cutting it.

// So long after an input method has handed over what was composed, Enter may
// still be its own: Safari ends the composition first and tells of the key then,
// mostly with the code 229. Not if the page was told of the key before: then it
// was the input method's that time, and one that passes Enter on (Korean) makes
// it another, which sends. And not on a phone, where every word is composed and
// Enter ends the last one to send it.
const JUST = 50; // ms
const phone = matchMedia("(pointer: coarse)");

/**
 * composing returns a function that says of a keydown whether it belongs to an
 * input method at work in box (Japanese, say), whose Enter sends nothing.
 * @param {HTMLElement} box
 */
export function composing(box) {
  let ended = -Infinity; // when the last composition did without a word of Enter, by the events' own clock
  let told = false; // of Enter, within this composition
  box.addEventListener("compositionstart", () => (told = false));
  box.addEventListener("keydown", (e) => (told ||= [e.key, e.code, e.code?.replace("Numpad", "")].includes("Enter")));
  box.addEventListener("keyup", () => (told = false));
  box.addEventListener("compositionend", (e) => (ended = told ? -Infinity : e.timeStamp));
  return (/** @type {KeyboardEvent} */ e) => {
    if (e.isComposing || e.keyCode === 229) return true;
    const its = !phone.matches && e.timeStamp - ended < JUST;
    ended = -Infinity; // one key ends one composition
    if (its) e.preventDefault(); // it would begin a new line
    return its;
  };
}

const encoder = new TextEncoder();
const counted = new Intl.NumberFormat();

/** bytes is the length of text as the server counts that of a message. */
export const bytes = (/** @type {string} */ text) => encoder.encode(text).length;
/** characters is that of a name. */
export const characters = (/** @type {string} */ text) => [...text].length;

/**
 * fault says in words why text cannot be sent: by how much it is too long, or
 * where it has half of a character, which pasting can leave. over: it cannot be.
 * From four fifths of the length on it counts. spoken is for who does not see.
 * @param {string} text
 * @param {number} most
 */
export function fault(text, most, length = bytes) {
  if (!wellFormed(text)) {
    const before = [...text.slice(0, text.search(/\p{Surrogate}/u))].slice(-12).join("");
    const words = `Half of a character, which cannot be sent, is ${before ? `after “${before}”` : "at the beginning"}. Delete it.`;
    return { over: true, words, spoken: words };
  }
  const n = length(text);
  if (n <= most * 0.8) return { over: false, words: "", spoken: "" };
  const plain = length === characters || n === text.length;
  const unit = plain ? "characters" : "bytes";
  const count = `${counted.format(n)} of ${counted.format(most)} ${unit}`;
  if (n <= most) return { over: false, words: count, spoken: "" };
  const words = `${count}: ${counted.format(n - most)} too many${plain ? "" : " (most letters besides a to z take two or three)"}.`;
  return { over: true, words, spoken: `Too long to be sent: ${words}` };
}

/**
 * bounded watches an input for a name, or another line: what is too long stays there, is
 * explained in note, and is not taken by its form.
 * @param {HTMLInputElement} input
 * @param {HTMLElement} note
 * @param {number} most
 */
export function bounded(input, note, most, value = (/** @type {string} */ text) => text.trim(), length = characters) {
  note.id ||= `${input.id}-note`;
  const check = () => {
    const { over, words } = fault(value(input.value), most, length);
    note.textContent = words;
    note.hidden = !words;
    note.classList.toggle("over", over);
    input.setAttribute("aria-invalid", String(over));
    input.setCustomValidity(over ? words : "");
    if (words) input.setAttribute("aria-describedby", note.id);
    else input.removeAttribute("aria-describedby");
  };
  input.addEventListener("input", check);
  check();
  return check;
}
