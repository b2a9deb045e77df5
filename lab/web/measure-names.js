// Words and numbers of the measurements, for people.
/** @import { Way } from "./measure.js" */

/** @typedef {"polling" | "long-polling" | "events" | "websocket"} Name */

/** NAMES of the ways, in their order. */
export const NAMES = { polling: "Short polling", "long-polling": "Long-polling", events: "Server-Sent Events", websocket: "WebSocket" };

/** count is a whole number. */
export const count = (/** @type {number} */ n) => n.toLocaleString("en");

/** millis is a time. */
export const millis = (/** @type {number} */ ms) => `${ms.toLocaleString("en", { maximumSignificantDigits: ms < 1 ? 2 : 3 })} ms`;

/** total is all bytes of a way, both directions. */
export const total = (/** @type {Way} */ w) => w.up.total + w.down.total;
