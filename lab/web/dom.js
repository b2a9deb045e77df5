// Small helpers for building elements. There is no way from text to markup here.

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes  false and the like: not there */

/** $ is an element of the page, which is there. */
export const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

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
  e.append(.../** @type {(Node | string)[]} */ (children.filter((c) => c !== undefined && c !== null && c !== false)));
  return e;
}

/**
 * button makes one that does f.
 * @param {Attributes} attributes
 * @param {(e: MouseEvent) => void} f
 * @param {Child[]} children
 */
export function button(attributes, f, ...children) {
  const b = el("button", { type: "button", ...attributes }, ...children);
  b.addEventListener("click", f);
  return b;
}

/** section is a link to where a section stands, such as "§5.2" or "RFC 7692 §6". */
export function section(/** @type {string | undefined} */ name) {
  if (!name) return null;
  const found = /^(?:RFC (\d+) )?§([\d.]+)$/.exec(name);
  if (!found) return el("span", {}, name);
  const rfc = found[1] ?? "6455";
  return el("a", { href: `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${found[2]}`, target: "_blank", rel: "noopener noreferrer" }, name);
}

/** save lets the browser keep data as a file. */
export function save(/** @type {string} */ name, /** @type {BlobPart} */ data, /** @type {string} */ type) {
  const url = URL.createObjectURL(new Blob([data], { type }));
  const a = el("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  URL.revokeObjectURL(url);
}
