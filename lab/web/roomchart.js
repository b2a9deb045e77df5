// The latencies of all readers over the last half minute, as lines of one figure.
import { el } from "./dom.js";

const SECONDS = 30;
const WIDTH = 600;
const HEIGHT = 100;
const LEAST = 0.1; // ms; below that is drawn there
const MOST = 60000;

/** height is where a latency is drawn: each tenfold is as high as any other. */
const height = (/** @type {number} */ ms) => HEIGHT * (1 - Math.log(Math.min(Math.max(ms, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST));

/**
 * svg makes an element of a figure.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 */
function svg(tag, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, String(v));
  return e;
}

/** @typedef {{ms: number, values: (number | null)[]}} Moment  latencies by reader; null: nothing was read */

/**
 * chart is the figure and what adds a moment to it.
 * @param {string[]} names  of the readers
 */
export function chart(names) {
  const figure = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "A line for each reader: its latency over the last 30 seconds. The figures stand with each reader." });
  for (const ms of [1, 10, 100, 1000, 10000]) figure.append(svg("line", { x1: 0, x2: WIDTH, y1: height(ms), y2: height(ms) }));
  const lines = names.map(() => figure.appendChild(svg("polyline", { points: "" })));
  /** @type {Moment[]} */
  let moments = [];
  return {
    view: el("div", {}, figure, el("p", { class: "scale" }, el("span", {}, "Lines across, from below: 1 ms, 10 ms, 100 ms, 1 s, 10 s"), el("span", {}, "dashed: who is slow, or was"))),
    add(/** @type {Moment} */ m, /** @type {boolean[]} */ slow) {
      moments = [...moments.filter((one) => one.ms > m.ms - SECONDS * 1000), m];
      lines.forEach((line, i) => {
        line.setAttribute("class", slow[i] ? "slow" : "");
        line.setAttribute("points", moments.filter((one) => one.values[i] !== null).map((one) =>
          `${(WIDTH * (1 - (m.ms - one.ms) / (SECONDS * 1000))).toFixed(1)},${height(one.values[i] ?? 0).toFixed(1)}`).join(" "));
      });
    },
  };
}
