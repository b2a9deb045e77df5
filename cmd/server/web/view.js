// What the page shows around the messages, made from its state.
import { $, el, button, name, account, avatar, arrows, parts } from "./dom.js";
/** @import { Person, StateChange } from "./client/types.js" */
/** @import { Conversation } from "./conversation.js" */

const badge = (/** @type {number} */ n) => (n > 99 ? "99+" : String(n));

const stops = { rooms: arrows($("rooms"), "a"), privates: arrows($("privates"), "a"), members: arrows($("members"), "button") };

/**
 * lists shows the conversations, with what was not read.
 * @param {Conversation[]} all
 * @param {Conversation | null} active
 * @param {(c: Conversation) => void} leave
 */
export function lists(all, active, leave) {
  const line = (/** @type {Conversation} */ c) => el("li", {},
    el("a", { href: c.hash, class: "place", "aria-current": c === active && "page", "data-unread": c.unread || null, "data-key": c.key },
      c.person ? avatar(c.person) : el("span", { class: "hash", "aria-hidden": "true" }, "#"),
      name(c.person?.name ?? c.room ?? "", { class: "place-name" }), account(c.person),
      c.unread > 0 && el("span", { class: "badge" }, badge(c.unread), el("span", { class: "hidden" }, " unread"))),
    button({ class: "quiet leave", "aria-label": `${c.person ? "Close" : "Leave"} ${c.title}`, title: c.person ? "Close" : "Leave" }, () => leave(c), "×"));
  keepingFocus(() => {
    $("rooms").replaceChildren(...all.filter((c) => c.room !== null).map(line));
    const people = all.filter((c) => c.person);
    $("privates").replaceChildren(...people.map(line));
    $("privates-title").hidden = people.length === 0;
  });
  stops.rooms();
  stops.privates();
}

// keepingFocus puts the focus back on what stands for the same thing.
function keepingFocus(/** @type {() => void} */ build) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const list = focused?.closest("#rooms, #privates, #members");
  const label = list && focused && key(focused);
  build();
  if (label) htmlIn(list, "a, button").find((e) => key(e) === label)?.focus();
}
const htmlIn = (/** @type {Element} */ list, /** @type {string} */ selector) => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
const key = (/** @type {HTMLElement} */ e) => `${e.dataset.key ?? ""}/${e.getAttribute("aria-label") ?? ""}/${e.dataset.person ?? ""}`;

/**
 * total shows what is unread besides the active conversation, also in the title.
 * @param {Iterable<Conversation>} all
 * @param {Conversation | null} active
 */
export function total(all, active) {
  let sum = 0;
  let elsewhere = 0;
  for (const c of all) {
    sum += c.unread;
    if (c !== active) elsewhere += c.unread;
  }
  $("elsewhere").hidden = elsewhere === 0;
  $("elsewhere").textContent = badge(elsewhere);
  document.title = `${sum ? `(${badge(sum)}) ` : ""}${active ? `${active.title} · ` : ""}Framewright chat`;
}

/** header shows which conversation this is. */
export function header(/** @type {Conversation} */ c) {
  const hash = c.room !== null && el("span", { class: "hash", "aria-hidden": "true" }, "#");
  $("title").replaceChildren(...parts(hash, name(c.room ?? c.person?.name ?? ""), account(c.person)));
  $("subtitle").textContent = c.person ? "Private: only the two of you" : c.people === 1 ? "Only you are here" : c.people ? `${c.people} people here` : "";
  $("people-button").hidden = c.room === null;
  $("count").textContent = String(c.people);
  $("text").placeholder = `Write to ${c.title}`;
}

/**
 * members shows who is here; a click on somebody else begins a private conversation.
 * @param {Conversation} c
 * @param {Person | null} you
 * @param {(person: Person) => void} talkTo
 */
export function members(c, you, talkTo) {
  const here = c.person ? [...(you ? [you] : []), c.person] : [...c.members.values()];
  const first = (/** @type {Person} */ p) => (p.id === you?.id ? 1 : 0);
  const shown = here.sort((a, b) => first(b) - first(a) || a.name.localeCompare(b.name));
  keepingFocus(() => {
    $("members").replaceChildren(...shown.map((p) => el("li", {}, p.id === you?.id || c.person ?
      el("div", { class: "member" }, avatar(p), name(p.name, { class: "member-name" }), account(p), p.id === you?.id && el("span", { class: "you" }, "you")) :
      button({ class: "member", "data-person": p.id, title: "Write in private" }, () => talkTo(p),
        avatar(p), name(p.name, { class: "member-name" }), account(p), el("span", { class: "hidden" }, "write in private")))),
    ...(c.people > shown.length ? [el("li", { class: "more" }, `and ${c.people - shown.length} more`)] : []));
  });
  $("members-title").textContent = c.person ? "The two of you" : "Here now";
  stops.members();
}

/** connection shows the state in a word. */
export function connection(/** @type {StateChange} */ { state }) {
  const words = { connecting: "connecting", online: "connected", waiting: "offline", refused: "not connected", stopped: "disconnected" };
  $("state").textContent = words[state];
  $("state").dataset.state = state;
}

let timer = 0;

/** banner says what is wrong with the connection, if something is. */
export function banner(/** @type {StateChange} */ { state, retryIn, reason }) {
  clearInterval(timer);
  const bar = $("banner");
  if (state === "connecting") return; // as it was
  bar.hidden = state === "online" || state === "refused";
  if (bar.hidden) return;
  const because = reason ? ` (${reason})` : "";
  $("banner-text").textContent = state === "stopped" ? `Disconnected${because}.` :
    navigator.onLine === false && (!reason || reason === "offline") ? "You are offline. What you write is sent later." :
    `No connection${because}. What you write is sent later.`;
  const due = performance.now() + (retryIn ?? 0);
  const next = () => {
    $("banner-next").textContent = state === "waiting" ? ` Next try in ${Math.max(Math.ceil((due - performance.now()) / 1000), 1)} s.` : "";
  };
  next();
  if (state === "waiting") timer = setInterval(next, 1000);
}
