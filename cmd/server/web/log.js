// One conversation's messages: grouped by who wrote them, followed while the
// reader is at their end, left in peace while not, with older ones on the way up.
import { same } from "./days.js";
import { el, button, clock } from "./dom.js";
import { mark, messageLine } from "./message.js";
/** @import { Delivery, Events, Message, Person } from "./client/types.js" */
/** @import { Child } from "./dom.js" */
/** @import { Written } from "./message.js" */

const KEEP = 500; // lines in the page while the reader is at the end; older ones go, and come back on the way up
const NEAR = 60; // px from the end that count as being there
const EARLY = 300; // px from the beginning at which older ones are asked for
const GROUP = 5 * 60_000; // ms in which messages of one person stand together
const OLDER = 50; // messages at a time

/**
 * The way out of a log.
 * @typedef {object} Ask
 * @property {(before: string, limit: number) => Promise<{ messages: Message[], more: boolean }>} history
 * @property {(id: string) => void} retry
 * @property {(id: string) => void} discard
 * @property {(below: boolean) => void} newest  there is something new below, or no more
 * @property {() => Date} now  the server's time
 *
 * @typedef {{ time: Date, from?: string }} About  what a line is: when, and whose
 */

export class Log {
  #ask;
  #list = el("ol", { class: "messages", "aria-label": "Messages" });
  #older = button({ class: "older" }, () => this.#loadOlder(), "Show older messages");
  #begin = el("p", { class: "begin", hidden: true });
  #following = true;
  #top = 0; // where the reader was when the log was hidden
  #more = false; // there are older messages than those shown
  #loading = false;
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map(); // id of an own message → its line
  /** @type {Map<string, HTMLElement>} */
  #shown = new Map(); // cursor → line
  /** @type {WeakMap<Element, About>} */
  #about = new WeakMap();
  /** @type {HTMLElement | null} */
  #fresh = null; // the line above which everything has been read

  /**
   * @param {string} title
   * @param {string} beginning  what to say there
   * @param {Ask} ask
   */
  constructor(title, beginning, ask) {
    this.#ask = ask;
    this.#begin.textContent = beginning;
    const column = el("div", { class: "column" }, this.#older, this.#begin, this.#list);
    this.element = el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": `Messages in ${title}`, hidden: true }, column);
    this.#older.hidden = true;
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const stay = new ResizeObserver(() => this.#following && this.#toEnd());
    stay.observe(this.element); // a keyboard came up
    stay.observe(column); // a line grew
  }

  get #hidden() {
    return this.element.hidden;
  }

  #scrolled() {
    const s = this.element;
    if (this.#hidden) return;
    this.#top = s.scrollTop;
    this.#following = s.scrollHeight - s.scrollTop - s.clientHeight < NEAR;
    if (this.#following) this.#ask.newest(false);
    if (s.scrollTop < EARLY) this.#loadOlder();
  }

  #toEnd() {
    if (!this.#hidden) this.element.scrollTop = this.element.scrollHeight;
  }

  /** follow goes to the end and stays there. */
  follow() {
    this.#following = true;
    this.#ask.newest(false);
    this.#toEnd();
  }

  show() {
    this.element.hidden = false;
    if (this.#following) this.#toEnd();
    else this.element.scrollTop = this.#top;
    this.#fill();
  }

  hide() {
    this.element.hidden = true;
    this.#fresh?.remove();
    this.#fresh = null;
  }

  clear() {
    this.#list.replaceChildren();
    this.#lines.clear();
    this.#shown.clear();
    this.#fresh = null;
    this.#setMore(false);
    this.#begin.hidden = true;
    this.follow();
  }

  // Lines and their order.

  #tell(/** @type {HTMLElement} */ line, /** @type {About} */ about) {
    this.#about.set(line, about);
    return line;
  }

  // #insert puts a line before another, or at the end.
  #insert(/** @type {HTMLElement} */ line, /** @type {Element | null} */ before = null) {
    this.#list.insertBefore(line, before);
    this.#tidy(line);
    this.#tidyNext(line);
  }

  #remove(/** @type {HTMLElement} */ line) {
    const next = line.nextElementSibling;
    line.remove();
    if (next) this.#tidy(next);
    else if (this.#list.lastElementChild?.classList.contains("day")) this.#list.lastElementChild.remove();
  }

  #tidyNext(/** @type {HTMLElement} */ line) {
    if (line.nextElementSibling) this.#tidy(line.nextElementSibling);
  }

  // #tidy sets what depends on the line before: the day, and whether the same
  // person goes on. A day without a line of its own is taken away.
  #tidy(/** @type {Element} */ line) {
    if (line.classList.contains("day")) {
      const next = line.nextElementSibling;
      line.remove();
      if (next) this.#tidy(next);
      return;
    }
    const about = this.#about.get(line);
    if (!about) return;
    let previous = line.previousElementSibling;
    const separator = previous?.classList.contains("day") ? /** @type {HTMLElement} */ (previous) : null;
    if (separator) previous = separator.previousElementSibling;
    const before = previous && (this.#about.get(previous) ?? { time: about.time });
    const day = about.time.toDateString();
    const today = same(this.#ask.now(), about.time);
    const wants = before ? !same(before.time, about.time) : !today;
    if (separator && (!wants || separator.dataset.day !== day)) separator.remove();
    if (wants && separator?.dataset.day !== day) {
      line.before(el("li", { class: "day", "data-day": day }, el("span", {}, today ? "Today" :
        about.time.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: "numeric" }))));
    }
    const goesOn = Boolean(about.from && before && !wants && before.from === about.from && about.time.getTime() - before.time.getTime() < GROUP);
    line.classList.toggle("goes-on", goesOn);
  }

  /** newDay is when what was today is not any more. What is read stays where it is. */
  newDay() {
    const below = this.element.scrollHeight - this.element.scrollTop;
    for (const day of this.#list.querySelectorAll(".day")) day.remove();
    for (const line of [...this.#list.children]) this.#tidy(line);
    if (this.#following) this.#toEnd();
    else if (!this.#hidden) this.element.scrollTop = this.element.scrollHeight - below;
  }

  // #append puts a line at the end, but before own messages that are still on
  // their way: their place in the room's order comes later.
  #append(/** @type {HTMLElement} */ line, quietly = false) {
    const waits = ["sending", "failed"].includes(line.dataset.delivery ?? "");
    this.#insert(line, waits ? null : this.#list.querySelector('[data-delivery="sending"]'));
    if (this.#following) {
      this.#trim();
      this.#toEnd();
    } else if (!quietly) {
      this.#ask.newest(true);
    }
  }

  #trim() {
    let trimmed = false;
    while (this.#list.childElementCount > KEEP) {
      const old = /** @type {HTMLElement} */ (this.#list.firstElementChild);
      if (old.dataset.delivery && old.dataset.delivery !== "sent") break; // not without the writer's knowledge
      this.#lines.delete(old.dataset.id ?? "");
      trimmed = this.#shown.delete(old.dataset.cursor ?? "") || trimmed;
      old.remove();
    }
    if (trimmed) {
      this.#setMore(true);
      if (this.#list.firstElementChild) this.#tidy(this.#list.firstElementChild);
    }
  }

  /**
   * system shows a line that nobody wrote.
   * @param {Child | Child[]} parts
   * @param {string | Date} time
   */
  system(parts, time = this.#ask.now(), quietly = true) {
    const line = el("li", { class: "system" }, ...[parts].flat(), " ", clock(time));
    this.#append(this.#tell(line, { time: new Date(time) }), quietly);
  }

  /** unread marks the place from which on nothing was read. */
  unread() {
    if (this.#fresh) return;
    this.#fresh = el("li", { class: "fresh" }, el("span", {}, "New"));
    const last = this.#list.lastElementChild;
    const time = (last && this.#about.get(last)?.time) ?? this.#ask.now();
    this.#list.insertBefore(this.#tell(this.#fresh, { time }), this.#list.querySelector('[data-delivery="sending"]'));
  }

  /** joined shows what a join brought: recent history, or what was missed. */
  joined(/** @type {Events["joined"]} */ { messages, reset, deleted = [] }) {
    for (const cursor of deleted) this.gone(cursor);
    const first = this.#shown.size === 0;
    if (reset && !first && !messages.some((m) => this.#shown.has(m.cursor))) this.#gap(messages[0]);
    for (const m of messages) this.message(m);
    if (!first || !reset) return;
    if (messages.length > 0) this.#setMore(true);
    else this.#atBeginning();
  }

  // #gap says that messages are missing here, and brings them, if there are any.
  #gap(/** @type {Message | undefined} */ next) {
    if (!next) {
      this.system("Back again. The room's history began anew.");
      return;
    }
    const line = el("li", { class: "gap" });
    const fill = async () => {
      let first = /** @type {HTMLElement | null} */ (line.nextElementSibling);
      while (first && !first.dataset.cursor) first = /** @type {HTMLElement | null} */ (first.nextElementSibling);
      if (!first?.dataset.cursor) return; // deleted meanwhile, all of it
      const { messages, more } = await this.#ask.history(first.dataset.cursor, OLDER);
      const met = messages.some((m) => this.#shown.has(m.cursor));
      const top = this.element.scrollHeight - this.element.scrollTop;
      for (const m of messages) if (!this.#shown.has(m.cursor)) this.#show(m, first);
      if (met) this.#remove(line);
      else if (!more) line.replaceChildren("What was here is no longer kept.");
      this.element.scrollTop = this.element.scrollHeight - top;
    };
    line.append("You were away for long. ", button({}, () => fill().catch(() => {}), "Show what you missed"));
    this.#append(this.#tell(line, { time: new Date(next.time) }), true);
  }

  // Older messages.

  #setMore(/** @type {boolean} */ more) {
    this.#more = more;
    this.#older.hidden = !more;
    if (more) this.#begin.hidden = true;
    this.#fill();
  }

  #atBeginning() {
    this.#setMore(false);
    this.#begin.hidden = false;
  }

  // #fill asks for older messages as long as they would be in view.
  #fill() {
    if (!this.#hidden && this.#more && this.element.scrollTop < EARLY) this.#loadOlder();
  }

  async #loadOlder() {
    const first = /** @type {HTMLElement | null} */ (this.#list.querySelector("[data-cursor]"));
    if (!this.#more || this.#loading || !first?.dataset.cursor || this.#hidden) return;
    this.#loading = true;
    this.#older.textContent = "Loading older messages…";
    const focused = document.activeElement === this.#older;
    try {
      const { messages, more } = await this.#ask.history(first.dataset.cursor, OLDER);
      if (!first.isConnected) return; // cleared meanwhile
      const s = this.element;
      const below = s.scrollHeight - s.scrollTop;
      const start = this.#list.firstElementChild;
      for (const m of messages) if (!this.#shown.has(m.cursor)) this.#show(m, start);
      if (more && messages.length > 0) this.#setMore(true);
      else this.#atBeginning();
      if (!this.#following) s.scrollTop = s.scrollHeight - below; // what was read stays where it was
      else this.#toEnd();
      if (focused && this.#older.hidden) this.element.focus();
    } catch {
      // no connection: the next scroll, or the button, tries again
    } finally {
      this.#loading = false;
      this.#older.textContent = "Show older messages";
    }
    if (!this.#hidden && this.element.scrollHeight <= this.element.clientHeight + EARLY) this.#fill();
  }

  // Messages.

  has(/** @type {string} */ cursor) {
    return this.#shown.has(cursor);
  }

  /** message shows a message, live or from the history; false if it was there already. */
  message(/** @type {Written} */ m) {
    if (m.cursor && this.#shown.has(m.cursor)) return false;
    const own = m.mine && this.#lines.get(m.id);
    if (!own) {
      this.#append(this.#make(m), m.mine);
      return true;
    }
    // Shown since it was written: now it has its place in the room's order.
    if (m.cursor) {
      own.dataset.cursor = m.cursor;
      this.#shown.set(m.cursor, own);
    }
    this.#tell(own, { from: this.#about.get(own)?.from, time: new Date(m.time) });
    mark(own, "sent", m.time, undefined, this.#ask);
    const pending = this.#list.querySelector('[data-delivery="sending"]');
    const after = own.nextElementSibling;
    this.#list.insertBefore(own, pending);
    if (after) this.#tidy(after);
    this.#tidy(own);
    this.#tidyNext(own);
    return false;
  }

  #show(/** @type {Written} */ m, /** @type {Element | null} */ before) {
    this.#insert(this.#make(m), before);
  }

  #make(/** @type {Written} */ m) {
    const { from, time, id, mine, cursor, state } = m;
    const line = messageLine(m);
    // What is not sent yet may be from before the server's time was known.
    this.#tell(line, { time: cursor || !mine || state === undefined ? new Date(time) : this.#ask.now(), from: mine ? from.id || "me" : `${from.id} ${from.name}` });
    if (mine) this.#lines.set(id, line);
    if (cursor) this.#shown.set(cursor, line);
    mark(line, state, time, m.reason, this.#ask);
    return line;
  }

  /** delivery shows how far an own message got. */
  delivery(/** @type {Delivery} */ d, /** @type {Person} */ you) {
    const line = this.#lines.get(d.id);
    if (!line) {
      if (d.state === "sending" || d.state === "failed") this.#append(this.#make({ ...d, from: you, mine: true }), true);
      return;
    }
    if (d.state === "discarded") {
      this.#lines.delete(d.id);
      this.#remove(line);
      return;
    }
    if (!line.dataset.cursor) mark(line, d.state, d.time, d.reason, this.#ask);
  }

  /** gone takes a deleted message away. */
  gone(/** @type {string} */ cursor) {
    const line = this.#shown.get(cursor);
    if (!line) return;
    this.#shown.delete(cursor);
    this.#lines.delete(line.dataset.id ?? "");
    this.#remove(line);
  }
}
