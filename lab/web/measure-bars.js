// Figures as pictures: bytes as bars, latencies as dots. Each says in words what it shows.
import { el } from "./dom.js";
import { NAMES, count, millis, total } from "./measure-names.js";
/** @import { Way } from "./measure.js" */
/** @import { Name } from "./measure-names.js" */

const WIDTH = 1000, HEIGHT = 24;

/**
 * svg makes an element of SVG.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {Element[]} children
 */
function svg(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, String(v));
  e.append(...children);
  return e;
}

/** picture is one way's line: its name, the picture, the words. */
const picture = (/** @type {{way: Name}} */ w, /** @type {string} */ says, /** @type {Element[]} */ ...shapes) => el("div", { class: "barline" },
  el("strong", {}, NAMES[w.way]), svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...shapes), el("span", { class: "says" }, says));

/** stack is a way's bytes by what they are, of so many at the most. */
export function stack(/** @type {Way} */ w, /** @type {number} */ scale) {
  let x = 0;
  const shapes = [], says = [];
  for (const kind of /** @type {("heads" | "framing" | "envelope" | "messages")[]} */ (["heads", "framing", "envelope", "messages"])) {
    const n = w.up[kind] + w.down[kind];
    const width = n / scale * WIDTH;
    shapes.push(svg("rect", { class: kind, x, y: 0, width, height: HEIGHT }));
    says.push(`${kind} ${count(n)}`);
    x += width;
  }
  return picture(w, `${count(total(w))} bytes: ${says.join(", ")}`, ...shapes);
}

/** dots are a way's latencies, of so many ms at the most. */
export function dots(/** @type {{way: Name, median: number, worst: number, latencies: number[]}} */ w, /** @type {number} */ scale) {
  const at = (/** @type {number} */ ms) => 4 + ms / (scale || 1) * (WIDTH - 8);
  return picture(w, `median ${millis(w.median)}, worst ${millis(w.worst)}; the whole width is ${millis(scale)}`,
    ...w.latencies.map((ms, i) => svg("rect", { class: "dot", x: at(ms) - 3, y: 3 + i % 4 * 5, width: 6, height: 4 })),
    svg("line", { class: "median", x1: at(w.median), x2: at(w.median), y1: 0, y2: HEIGHT }));
}
