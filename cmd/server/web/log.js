// The list of messages: grouped by who wrote them, followed while the reader is
// at its end, left in peace while not.
import { el, avatar, clock } from "./dom.js";

const KEEP = 600; // lines in the page; older ones go
const NEAR = 60; // px from the end that count as being there
const GROUP = 5 * 60_000; // ms in which messages of one person stand together

export class Log {
  #scroller;
  #list;
  #newest;
  #following = true;
  #lines = new Map(); // id of an own message → its line
  #seen = new Set(); // cursors shown
  #last = null; // { from, time, day } of the line at the end

  constructor(scroller, list, newest) {
    this.#scroller = scroller;
    this.#list = list;
    this.#newest = newest;
    this.onRetry = () => {};
    scroller.addEventListener("scroll", () => {
      this.#following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
      if (this.#following) newest.hidden = true;
    }, { passive: true });
    newest.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(scroller); // a keyboard came up
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** follow goes to the end and stays there. */
  follow() {
    this.#following = true;
    this.#newest.hidden = true;
    this.#toEnd();
  }

  clear() {
    this.#list.replaceChildren();
    this.#lines.clear();
    this.#seen.clear();
    this.#last = null;
    this.follow();
  }

  // #append puts a line at the end, but before own messages that are still on
  // their way: their place in the room's order comes later.
  #append(line, quietly = false) {
    const pending = line.dataset.delivery ? null : this.#list.querySelector('[data-delivery="sending"]');
    this.#list.insertBefore(line, pending);
    while (this.#list.childElementCount > KEEP) {
      const old = this.#list.firstElementChild;
      this.#lines.delete(old.dataset.id);
      this.#seen.delete(old.dataset.cursor);
      old.remove();
    }
    if (this.#following) this.#toEnd();
    else if (!quietly) this.#newest.hidden = false;
  }

  #day(time) {
    const day = new Date(time).toDateString();
    if (this.#last?.day === day) return;
    const today = new Date().toDateString() === day;
    if (this.#last || !today) {
      this.#append(el("li", { class: "day" }, el("span", {}, today ? "Today" :
        new Date(time).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" }))), true);
    }
    this.#last = { from: null, time: 0, day };
  }

  /** system shows a line that nobody wrote. */
  system(text, time = new Date()) {
    this.#day(time);
    this.#append(el("li", { class: "system" }, text, " ", clock(time)), true);
    this.#last.from = null;
  }

  /** joined shows what a join brought: recent history, or what was missed. */
  joined({ messages, reset }) {
    // What was shown stays; only the gap is named.
    if (reset && this.#seen.size > 0) this.system("Back again. Messages may be missing here.");
    for (const m of messages) this.message(m);
  }

  /** message shows a message of the room, live or from its history. */
  message(m) {
    if (this.#seen.has(m.cursor)) return;
    this.#seen.add(m.cursor);
    const own = m.mine && this.#lines.get(m.id);
    if (own) { // shown since it was written
      own.dataset.cursor = m.cursor;
      this.#mark(own, "sent");
      own.querySelector(".meta").replaceChildren(clock(m.time));
      const pending = this.#list.querySelector('[data-delivery="sending"]');
      if (own.nextElementSibling !== pending) this.#list.insertBefore(own, pending); // the room's order, not ours
      return;
    }
    const line = this.#line(m);
    line.dataset.cursor = m.cursor;
    if (m.mine) this.#lines.set(m.id, line);
    this.#append(line, m.mine);
  }

  #line({ from, time, text, id, mine }) {
    this.#day(time);
    const goesOn = this.#last.from === from.id && new Date(time) - this.#last.time < GROUP;
    this.#last = { ...this.#last, from: from.id, time: new Date(time) };
    const line = el("li", { class: `message${mine ? " mine" : ""}${goesOn ? " goes-on" : ""}`, "data-id": mine && id },
      !mine && avatar(from),
      el("div", { class: "bubble" },
        el("span", { class: goesOn || mine ? "from hidden" : "from" }, mine ? "You" : from.name, el("span", { class: "hidden" }, ": ")),
        el("span", { class: "text", dir: "auto" }, text),
        el("span", { class: "meta" }, clock(time))));
    return line;
  }

  /** delivery shows how far an own message got. */
  delivery({ id, text, state, reason }, you) {
    let line = this.#lines.get(id);
    if (!line) {
      if (state === "sent") return; // from another tab, or cleared away
      line = this.#line({ from: you, time: new Date(), text, id, mine: true });
      this.#lines.set(id, line);
      line.dataset.delivery = state;
      this.#append(line, true);
    }
    this.#mark(line, state);
    const meta = line.querySelector(".meta");
    if (state === "sending") meta.replaceChildren("sending…");
    if (state === "sent" && !line.dataset.cursor) meta.replaceChildren(clock(new Date()));
    if (state === "failed") {
      const again = el("button", { type: "button" }, "Try again");
      again.addEventListener("click", () => this.onRetry(id));
      meta.replaceChildren(`not sent: ${reason} `, again);
    }
  }

  #mark(line, state) {
    if (line.dataset.cursor) state = "sent";
    line.dataset.delivery = state;
  }
}
