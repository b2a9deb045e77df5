// Who this browser is: a name, the rooms it is in, and a secret by which the
// server knows that two tabs, or yesterday and today, are one person. A tab may
// be somebody else.
import { randomText } from "./client/text.js";

const path = new URL(".", location.href).pathname;
/** PLACE tells apart what several chats of one host keep in the browser. */
export const PLACE = path === "/" ? "" : ` ${path}`;

const KEY = `framewright chat${PLACE}`;
const ROOMS = 30; // remembered

/**
 * @typedef {object} Me
 * @property {string} name
 * @property {string} secret
 * @property {string[]} rooms
 * @property {boolean} onlyTab  other tabs are somebody else
 * @property {boolean} new  nobody has been here before
 */

function read(/** @type {Storage | null} */ storage) {
  try {
    const me = JSON.parse(storage?.getItem(KEY) ?? "null");
    if (typeof me?.name !== "string" || typeof me?.secret !== "string") return null;
    const rooms = Array.isArray(me.rooms) ? me.rooms.filter((/** @type {unknown} */ r) => typeof r === "string" && r).slice(0, ROOMS) : [];
    return { name: me.name, secret: me.secret, rooms };
  } catch {
    return null; // no storage, or not ours
  }
}

const storageOf = (/** @type {boolean} */ onlyTab) => {
  try {
    return onlyTab ? sessionStorage : localStorage;
  } catch {
    return null; // a browser may forbid it: then it lasts as long as the page
  }
};

/** tabStorage is the storage that lasts as long as the tab, if there is one. */
export const tabStorage = () => storageOf(true);

/**
 * load returns who this is, or, the first time, somebody with an invented name.
 * @returns {Me}
 */
export function load() {
  const tab = read(storageOf(true));
  if (tab) return { ...tab, onlyTab: true, new: false };
  const browser = read(storageOf(false));
  if (browser) return { ...browser, onlyTab: false, new: false };
  return { name: inventName(), secret: randomText(24), rooms: [], onlyTab: false, new: true };
}

export function remember(/** @type {Me} */ { name, secret, rooms, onlyTab }) {
  try {
    storageOf(onlyTab)?.setItem(KEY, JSON.stringify({ name, secret, rooms: rooms.slice(-ROOMS) }));
  } catch { /* full or forbidden */ }
}

/** ownIdentity returns another secret for this tab only, or the browser's again. */
export function ownIdentity(/** @type {boolean} */ onlyTab) {
  if (onlyTab) return { secret: randomText(24), onlyTab };
  try {
    sessionStorage.removeItem(KEY);
  } catch { /* as above */ }
  return { secret: read(storageOf(false))?.secret ?? randomText(24), onlyTab };
}

const FIRST = ["Quiet", "Amber", "Brisk", "Clever", "Early", "Gentle", "Lucky", "Merry", "Nimble", "Silver", "Sunny", "Tidy"];
const SECOND = ["Heron", "Otter", "Finch", "Badger", "Maple", "Comet", "Lark", "Fox", "Willow", "Robin", "Hare", "Wren"];

function inventName() {
  const pick = (/** @type {string[]} */ list) => list[Math.floor(Math.random() * list.length)];
  return `${pick(FIRST)} ${pick(SECOND)} ${10 + Math.floor(Math.random() * 90)}`;
}
