// Where a direction stands, as in the table of moves of ws/state.go (§5.4, §5.5.1).
import { el } from "./dom.js";

const NAMES = ["ready", "in text", "in binary", "closed"];

export class States {
  #boxes = new Map(NAMES.map((name) => [name, el("li", {}, name)]));
  #now = "";

  constructor(/** @type {HTMLElement} */ figure) {
    figure.append(el("ul", { class: "states" }, ...this.#boxes.values()));
  }

  /** at moves to a state, by the name that the trace has for it. */
  at(/** @type {string} */ name) {
    this.#boxes.get(this.#now)?.removeAttribute("aria-current");
    this.#now = name;
    this.#boxes.get(name)?.setAttribute("aria-current", "step");
  }
}
