// Small helpers for building elements. There is no way from text to markup here.

export const $ = (id) => document.getElementById(id);

/** el makes an element; strings among the children become text. */
export function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (v !== undefined && v !== null && v !== false) e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

/** button makes one that does f. */
export function button(attributes, f, ...children) {
  const b = el("button", { type: "button", ...attributes }, ...children);
  b.addEventListener("click", f);
  return b;
}

/** name is a person's name within a sentence: its direction stays its own. */
export const name = (text, attributes) => el("bdi", attributes, text);

/**
 * account is the mark behind the name of a person that a token, or the server
 * itself, vouches for. Nobody can write it: it is drawn by the style sheet.
 */
export const account = (person) => (person?.account ?
  el("span", { class: "account", role: "img", "aria-label": "account", title: "This name belongs to an account" }) : null);

/** avatar is a disc with a person's initial, in a colour that stays theirs. */
export function avatar(person) {
  let hash = 0;
  for (const c of person.id || person.name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  const initial = [...person.name.trim()][0] ?? "?";
  return el("span", { class: `avatar tint-${hash % 8}`, "aria-hidden": "true" }, initial.toUpperCase());
}

const timeOfDay = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "medium" });

/** clock shows a time of day; the whole time is its title. */
export function clock(time) {
  const t = new Date(time);
  return el("time", { datetime: t.toISOString(), title: fullTime.format(t) }, timeOfDay.format(t));
}

/** hourOf is a time of day as text. */
export const hourOf = (time) => timeOfDay.format(new Date(time));

/** rich is text with its web addresses made into links. */
export function rich(text) {
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
 */
export function arrows(list, selector) {
  const all = () => [...list.querySelectorAll(selector)];
  list.addEventListener("keydown", (e) => {
    const items = all();
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.key];
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    items.at(Math.min(Math.max(to, 0), items.length - 1)).focus();
  });
  list.addEventListener("focusin", (e) => all().includes(e.target) && stopAt(e.target));
  const stopAt = (item) => {
    for (const i of all()) i.tabIndex = i === item ? 0 : -1;
  };
  // After the list was built anew: the stop is the current item, or the first.
  return () => {
    const items = all();
    stopAt(items.find((i) => i.getAttribute("aria-current")) ?? items[0]);
  };
}
