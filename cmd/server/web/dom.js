// Small helpers for building elements. There is no way from text to markup here.
/** @import { Person } from "./client/types.js" */

/**
 * Ids of the page whose elements are more than an HTMLElement.
 * @typedef {object} Elements
 * @property {HTMLFormElement} form
 * @property {HTMLTextAreaElement} text
 * @property {HTMLButtonElement} send
 * @property {HTMLInputElement} room-name
 * @property {HTMLInputElement} name
 * @property {HTMLInputElement} first-room
 * @property {HTMLInputElement} only-tab
 * @property {HTMLDialogElement} me
 *
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | null | undefined>} Attributes  false and the like: not there
 */

/**
 * $ is an element of the page.
 * @template {string} I
 * @param {I} id
 * @returns {I extends keyof Elements ? Elements[I] : HTMLElement}
 */
export const $ = (id) => /** @type {any} */ (document.getElementById(id));

/**
 * parts are those children that are there.
 * @param {Child[]} children
 */
export const parts = (...children) => children.filter((c) => c !== undefined && c !== null && c !== false);

/**
 * el makes an element; strings among the children become text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (v !== undefined && v !== null && v !== false) e.setAttribute(k, v === true ? "" : String(v));
  }
  e.append(...parts(...children));
  return e;
}

/**
 * button makes one that does f.
 * @param {Attributes} attributes
 * @param {() => void} f
 * @param {Child[]} children
 */
export function button(attributes, f, ...children) {
  const b = el("button", { type: "button", ...attributes }, ...children);
  b.addEventListener("click", f);
  return b;
}

/**
 * name is a person's name within a sentence: its direction stays its own.
 * @param {string} text
 * @param {Attributes} [attributes]
 */
export const name = (text, attributes) => el("bdi", attributes, text);

/**
 * account is the mark behind the name of a person that a token, or the server
 * itself, vouches for. Nobody can write it: it is drawn by the style sheet.
 */
export const account = (/** @type {Person | null | undefined} */ person) => (person?.account ?
  el("span", { class: "account", role: "img", "aria-label": "account", title: "This name belongs to an account" }) : null);

/** avatar is a disc with a person's initial, in a colour that stays theirs. */
export function avatar(/** @type {Person} */ person) {
  let hash = 0;
  for (const c of person.id || person.name) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
  const initial = [...person.name.trim()][0] ?? "?";
  return el("span", { class: `avatar tint-${hash % 8}`, "aria-hidden": "true" }, initial.toUpperCase());
}

const timeOfDay = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "medium" });

/** clock shows a time of day; the whole time is its title. */
export function clock(/** @type {string | Date} */ time) {
  const t = new Date(time);
  return el("time", { datetime: t.toISOString(), title: fullTime.format(t) }, timeOfDay.format(t));
}

/** hourOf is a time of day as text. */
export const hourOf = (/** @type {string | number | Date} */ time) => timeOfDay.format(new Date(time));

/** rich is text with its web addresses made into links. */
export function rich(/** @type {string} */ text) {
  /** @type {(string | Node)[]} */
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(/\bhttps?:\/\/[^\s<>"']+/gi)) {
    let address = found[0].replace(/[.,;:!?]+$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1); // (as in here)
    let url;
    try {
      url = new URL(address);
    } catch {
      continue;
    }
    if (url.protocol !== "https:" && url.protocol !== "http:") continue;
    parts.push(text.slice(end, found.index), el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, address));
    end = found.index + address.length;
  }
  return [...parts, text.slice(end)].filter((p) => p !== "");
}

/**
 * arrows lets the arrow keys, Home and End move the focus within a list; Tab
 * stops at the list once.
 * @param {HTMLElement} list
 * @param {string} selector
 */
export function arrows(list, selector) {
  const all = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
  list.addEventListener("keydown", (e) => {
    const items = all();
    const at = items.findIndex((i) => i === document.activeElement);
    const to = new Map([["ArrowDown", at + 1], ["ArrowUp", at - 1], ["Home", 0], ["End", items.length - 1]]).get(e.key);
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    items[Math.min(Math.max(to, 0), items.length - 1)].focus();
  });
  list.addEventListener("focusin", (e) => {
    const item = all().find((i) => i === e.target);
    if (item) stopAt(item);
  });
  const stopAt = (/** @type {HTMLElement} */ item) => {
    for (const i of all()) i.tabIndex = i === item ? 0 : -1;
  };
  // After the list was built anew: the stop is the current item, or the first.
  return () => {
    const items = all();
    stopAt(items.find((i) => i.getAttribute("aria-current")) ?? items[0]);
  };
}
