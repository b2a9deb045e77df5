// Small helpers for building elements. There is no way from text to markup here.

export const $ = (id) => document.getElementById(id);

/** el makes an element; strings among the children become text. */
export function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

/** avatar is a disc with a person's initial, in a colour that stays theirs. */
export function avatar(person) {
  let hash = 0;
  for (const c of person.id || person.name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  const initial = [...person.name.trim()][0] ?? "?";
  return el("span", { class: `avatar tint-${hash % 8}`, "aria-hidden": "true" }, initial.toUpperCase());
}

/** clock shows a time of day as an element. */
export function clock(time) {
  const t = new Date(time);
  return el("time", { datetime: t.toISOString(), title: t.toLocaleString() },
    t.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
}
