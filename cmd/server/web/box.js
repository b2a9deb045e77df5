// The box for writing: what is in it goes out by Enter or the button, unless it is
// too long, which is said while it is being written.
import { $ } from "./dom.js";
import { composing, fault } from "./write.js";

/**
 * What the box has to know of the page, and tells it.
 * @typedef {object} Page
 * @property {() => boolean} barred  nothing can be sent now, whatever it is
 * @property {(words: string) => boolean} send  and reports whether it was taken
 * @property {() => void} writing  somebody is
 * @property {(words: string) => void} say  aloud
 */

export class Box {
  most = 16_384; // bytes of a message; the server says
  #text = $("text");
  #page;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    $("form").addEventListener("submit", (e) => {
      e.preventDefault();
      const words = this.#text.value.trim();
      if (words && !page.barred() && !this.measure()) {
        if (page.send(words)) this.#text.value = "";
        this.#fit();
      }
      this.focus();
    });
    const atWork = composing(this.#text);
    this.#text.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && !e.shiftKey && !atWork(e)) {
        e.preventDefault();
        $("form").requestSubmit();
      }
    });
    this.#text.addEventListener("input", () => {
      this.#fit();
      if (this.#text.value.trim()) page.writing();
    });
  }

  focus() {
    this.#text.focus();
  }

  /** text is what is in it. */
  get text() {
    return this.#text.value;
  }

  set text(words) {
    this.#text.value = words;
    this.#fit();
  }

  /** measure shows how long the text is, if that matters, and reports whether it cannot be sent as it is. */
  measure() {
    const { over, words, spoken } = fault(this.#text.value.trim(), this.most);
    const note = $("text-note");
    note.hidden = !words;
    note.classList.toggle("over", over);
    if (note.textContent !== words) note.textContent = words;
    if (over && this.#text.getAttribute("aria-invalid") !== "true") this.#page.say(spoken);
    this.#text.setAttribute("aria-invalid", String(over));
    return over;
  }

  // #fit gives the box as many lines as its text has; the style sheet says how
  // many at most.
  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
    $("send").disabled = this.measure() || this.#page.barred();
  }
}
