// One reader of the room: how slowly it reads, and what comes of it.
import { button, el } from "./dom.js";

/**
 * @typedef {object} Reader  as the server states it; sizes in bytes, times in milliseconds
 * @property {string} name
 * @property {"coming" | "here" | "cut" | "away"} state
 * @property {number} speed
 * @property {{packets: number, bytes: number, max: number, ageMs: number, dropped: number}} queue
 * @property {number} wire
 * @property {number} wireMax
 * @property {number} read
 * @property {number} missing
 * @property {number} twice
 * @property {number} again
 * @property {{count: number, median: number, max: number}} latency
 */

const SPEEDS = [[-1, "as they come"], [10, "10 a second"], [2, "2 a second"], [0, "stopped"]];
const STATES = { coming: "comes in", here: "here", cut: "cut off, and does not know yet", away: "away" };

/** isSlow reports whether a reader is not as the others are. */
export const isSlow = (/** @type {Reader} */ r) => r.speed !== -1 || r.state !== "here";

const figures = new Intl.NumberFormat("en");
export const count = (/** @type {number} */ n, /** @type {string} */ what) => `${figures.format(n)} ${what}${n === 1 ? "" : "s"}`;
export const time = (/** @type {number} */ ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * readerView is the element of a reader, and what brings it up to date.
 * @param {string} name
 * @param {(command: {do: string, speed?: number}) => void} ask
 */
export function readerView(name, ask) {
  const state = el("span", { class: "state" });
  const speeds = SPEEDS.map(([speed, text]) => ({ speed, b: button({}, () => ask({ do: "speed", speed: Number(speed) }), String(text)) }));
  const back = button({ class: "back" }, () => ask({ do: "return" }), "Come back");
  const queue = el("meter", { min: 0, "aria-label": `Queue of ${name}` });
  const wire = el("meter", { min: 0, "aria-label": `Network to ${name}` });
  /** @type {Record<string, HTMLElement>} */
  const says = {};
  const row = (/** @type {string} */ key, /** @type {string} */ label, /** @type {Node[]} */ ...more) => [el("dt", {}, label), el("dd", {}, ...more, (says[key] = el("span", { class: key })))];
  const view = el("section", { class: "reader", "aria-label": name },
    el("h4", {}, name, state),
    el("fieldset", { class: "speeds" }, el("legend", {}, `${name} reads`), ...speeds.map((s) => s.b), back),
    el("dl", {}, ...row("queue", "queue", queue), ...row("wire", "network", wire), ...row("dropped", "left out"), ...row("read", "has read"), ...row("missing", "yet to read"), ...row("latency", "latency")));
  const set = (/** @type {string} */ key, /** @type {string} */ text) => {
    if (says[key].textContent !== text) says[key].textContent = text;
  };
  return {
    view,
    show(/** @type {Reader} */ r) {
      const gone = r.state === "cut" || r.state === "away";
      view.className = `reader${gone ? " gone" : isSlow(r) ? " slow" : ""}`;
      if (state.textContent !== STATES[r.state]) state.textContent = STATES[r.state];
      for (const s of speeds) s.b.setAttribute("aria-pressed", String(r.speed === s.speed));
      back.hidden = !gone;
      queue.max = r.queue.max;
      queue.optimum = 0;
      queue.low = r.queue.max / 2; // from there on, what may be left out is
      queue.high = r.queue.max * 0.9;
      queue.value = r.queue.bytes;
      wire.max = r.wireMax;
      wire.value = r.wire;
      set("queue", gone ? "none any more" : `${count(r.queue.packets, "message")}, ${figures.format(r.queue.bytes)} of ${count(r.queue.max, "byte")}${r.queue.packets ? `, the oldest for ${time(r.queue.ageMs)}` : ""}`);
      set("wire", `${figures.format(r.wire)} of ${count(r.wireMax, "byte")}`);
      set("dropped", count(r.queue.dropped, "notice") + " of typing");
      set("read", `${count(r.read, "message")}${r.again ? `, ${figures.format(r.again)} from the log` : ""}, ${r.twice ? `${figures.format(r.twice)} twice` : "none twice"}`);
      set("missing", count(r.missing, "acknowledged message"));
      set("latency", r.latency.count ? `${time(r.latency.median)} median, ${time(r.latency.max)} at most` : "nothing was read");
    },
  };
}
