// Packets of Socket.IO 5: a message of Engine.IO each, and one more for each
// piece of bytes in them.
import { isBytes } from './bytes.js';
/** @import { Bytes } from './bytes.js' */

/** PACKET has their types; with bytes an event is 5 and an acknowledgement 6. */
export const PACKET = { CONNECT: 0, DISCONNECT: 1, EVENT: 2, ACK: 3, CONNECT_ERROR: 4 };
const BINARY = 3; // is added then

/** @typedef {{ type: number, namespace: string, id?: number, data?: any }} Packet */

/**
 * extract replaces the bytes in v by placeholders and collects them.
 * @returns {any}
 */
function extract(/** @type {any} */ v, /** @type {Bytes[]} */ found) {
  if (isBytes(v)) return { _placeholder: true, num: found.push(v) - 1 };
  if (Array.isArray(v)) return v.map((e) => extract(e, found));
  if (v === null || typeof v !== 'object' || v.toJSON) return v;
  return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, extract(e, found)]));
}

/** @returns {any} */
function restore(/** @type {any} */ v, /** @type {Bytes[]} */ found) {
  if (Array.isArray(v)) return v.map((e) => restore(e, found));
  if (v === null || typeof v !== 'object') return v;
  if (v._placeholder === true) return found[v.num];
  return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, restore(e, found)]));
}

/**
 * encode returns the messages that a packet is.
 * @param {Packet} packet
 * @returns {(string | Bytes)[]}
 */
export function encode({ type, namespace, id, data }) {
  /** @type {Bytes[]} */
  const found = [];
  const json = data === undefined ? '' : JSON.stringify(extract(data, found));
  const head = found.length > 0 ? `${type + BINARY}${found.length}-` : String(type);
  return [`${head}${namespace === '/' ? '' : `${namespace},`}${id ?? ''}${json}`, ...found];
}

// valid reports whether a packet has what its type wants.
function valid(/** @type {Packet} */ { type, data }) {
  switch (type) {
    case PACKET.CONNECT: return typeof data?.sid === 'string';
    case PACKET.DISCONNECT: return data === undefined;
    case PACKET.EVENT: return Array.isArray(data) && ['string', 'number'].includes(typeof data[0]);
    case PACKET.ACK: return Array.isArray(data);
    default: return typeof data === 'object' && data !== null;
  }
}

/** A Decoder puts packets together. */
export class Decoder {
  /** @type {{ packet: Packet, count: number, found: Bytes[] } | null} */
  #pending = null;

  /**
   * add takes a message in and returns the packet that is whole with it, if one is.
   * @param {string | Bytes} m
   * @returns {Packet | undefined}
   */
  add(m) {
    if (typeof m !== 'string') {
      if (!this.#pending) throw new Error('bytes that belong to no packet');
      const { packet, count, found } = this.#pending;
      if (found.push(m) < count) return undefined;
      this.#pending = null;
      return { ...packet, data: restore(packet.data, found) };
    }
    if (this.#pending) throw new Error('a packet without its bytes');
    const parts = /^([0-6])(?:(\d+)-)?((\/[^,]*)(?:,|$))?(\d+)?([^]*)$/.exec(m);
    if (!parts) throw new Error(`not a packet: ${m.slice(0, 40)}`);
    const [, digit, count, , namespace = '/', id, json] = parts;
    const binary = Number(digit) > PACKET.CONNECT_ERROR;
    /** @type {Packet} */
    const packet = {
      type: Number(digit) - (binary ? BINARY : 0), namespace,
      ...(id !== undefined && { id: Number(id) }), ...(json !== '' && { data: JSON.parse(json) }),
    };
    if (!valid(packet)) throw new Error(`not what such a packet has: ${m.slice(0, 40)}`);
    if (!(Number(count) > 0)) return packet;
    this.#pending = { packet, count: Number(count), found: [] };
    return undefined;
  }
}
