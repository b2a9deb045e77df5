// A message as a line of a log: who wrote it, what, and how far an own one got.
import { account, avatar, button, clock, el, hourOf, name, rich } from "./dom.js";
/** @import { Person } from "./client/types.js" */

/**
 * A message as it is shown: in a room, in private, or not sent yet.
 * @typedef {{ from: Person, time: string, text: string, id: string, mine: boolean, cursor?: string, state?: string, reason?: string }} Written
 *
 * @typedef {{ retry: (id: string) => void, discard: (id: string) => void }} Undelivered  what can be done with one
 */

/** messageLine makes a line, without what mark adds. */
export function messageLine(/** @type {Written} */ { from, text, id, mine, cursor }) {
  return el("li", { class: `message${mine ? " mine" : ""}`, "data-id": mine && id, "data-cursor": cursor },
    !mine && avatar(from),
    el("div", { class: "bubble" },
      el("span", { class: mine ? "from hidden" : "from" }, name(mine ? "You" : from.name), !mine && account(from), el("span", { class: "hidden" }, ": ")),
      el("span", { class: "text", dir: "auto" }, ...rich(text)),
      el("span", { class: "meta" })));
}

/**
 * mark shows when it was, and of an own one how far it got.
 * @param {HTMLElement} line
 * @param {string | undefined} state
 * @param {string} time
 * @param {string | undefined} reason
 * @param {Undelivered} ask
 */
export function mark(line, state, time, reason, { retry, discard }) {
  const meta = /** @type {HTMLElement} */ (line.querySelector(".meta"));
  const mine = line.classList.contains("mine");
  if (mine) line.dataset.delivery = state ?? "sent";
  if (!mine) {
    meta.replaceChildren(clock(time));
  } else if (state === "failed") {
    const { id = "" } = line.dataset;
    meta.replaceChildren(`Not sent: ${reason ?? "refused"} `,
      button({ class: "retry" }, () => retry(id), "Try again"), " ",
      button({ class: "discard" }, () => discard(id), "Discard"));
  } else if (state === "sending") {
    meta.replaceChildren(el("span", { class: "ticking", "aria-hidden": "true" }), "sending…");
  } else {
    meta.replaceChildren(clock(time), el("span", { class: "tick", title: "Sent", "aria-hidden": "true" }, "✓"), el("span", { class: "hidden" }, " sent"));
  }
}

/** spoken is a message as a screen reader should hear it. */
export const spoken = (/** @type {Written} */ m) => `${m.from.name}${m.from.account ? " (account)" : ""}, ${hourOf(m.time)}: ${m.text}`;
