// What the boxes for writing need: not to send what an input method is still at,
// and to say what is too long instead of cutting it.

// So long after an input method has handed over what was composed, Enter may
// still be its own: Safari ends the composition first and tells of the key then,
// mostly with the code 229. Not on a phone, where every word is composed and
// Enter ends the last one to send it.
const JUST = 50; // ms
const phone = matchMedia("(pointer: coarse)");

/**
 * composing returns a function that says of a keydown whether it belongs to an
 * input method at work in box (Japanese, say), whose Enter sends nothing.
 */
export function composing(box) {
  let ended = -Infinity; // when the last composition did, by the events' own clock
  box.addEventListener("compositionend", (e) => (ended = e.timeStamp));
  return (e) => e.isComposing || e.keyCode === 229 || (!phone.matches && e.timeStamp - ended < JUST);
}

const encoder = new TextEncoder();
const counted = new Intl.NumberFormat();

/** bytes is the length of text as the server counts that of a message. */
export const bytes = (text) => encoder.encode(text).length;
/** characters is that of a name. */
export const characters = (text) => [...text].length;

/**
 * tooLong says by how much text is too long, in words; nothing while it is not.
 * From four fifths on it counts.
 */
export function tooLong(text, most, length = bytes) {
  const n = length(text);
  if (n <= most * 0.8) return { over: false, words: "" };
  const plain = length === characters || n === text.length;
  const unit = plain ? "characters" : "bytes";
  const words = `${counted.format(n)} of ${counted.format(most)} ${unit}`;
  if (n <= most) return { over: false, words };
  return { over: true, words: `${words}: ${counted.format(n - most)} too many${plain ? "" : " (most letters besides a to z take two or three)"}.` };
}

/**
 * bounded watches an input for a name: what is too long stays there, is
 * explained in note, and is not taken by its form.
 */
export function bounded(input, note, most, value = (text) => text.trim()) {
  note.id ||= `${input.id}-note`;
  const check = () => {
    const { over, words } = tooLong(value(input.value), most, characters);
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
