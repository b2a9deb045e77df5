// The stream of what goes over this page's own connections. The page makes a secret, opens
// its connections with it, and is shown those and no others.

/**
 * @typedef {object} Row
 * @property {string} kind  bits, number, masked, compressed, code, text, data, note
 * @property {number} at
 * @property {number} len
 * @property {number} bit
 * @property {number} width
 * @property {string} field
 * @property {string} [value]
 * @property {string} bytes
 * @property {string} [meaning]
 * @property {string} [section]
 *
 * @typedef {object} Token  of a compressed message
 * @property {"literal" | "match" | "raw" | "end"} kind
 * @property {number} bit
 * @property {string} code
 * @property {string} [bytes]
 * @property {number} at  in the content
 * @property {number} [length]
 * @property {number} [distance]
 * @property {number} [earlier]
 *
 * @typedef {object} Block
 * @property {"stored" | "fixed" | "dynamic" | "reserved"} type
 * @property {boolean} final
 * @property {boolean} tail
 * @property {number} bit
 * @property {number} head
 * @property {number} bits
 * @property {number} bytes
 * @property {{of: string, bits: number, symbols: string}[]} [codes]
 * @property {Token[]} tokens
 *
 * @typedef {object} Inflate  what a compressed message is made of
 * @property {number} compressed
 * @property {number} length
 * @property {string} says
 * @property {number} windowBits
 * @property {boolean} keep
 * @property {number} context
 * @property {number} earlier
 * @property {number} [alone]
 * @property {Block[]} blocks
 * @property {number} allBlocks
 * @property {string[]} [notes]
 * @property {string} [error]
 *
 * @typedef {object} Fact  what lab/fact says of one thing that happened
 * @property {number} seq
 * @property {number} ms
 * @property {"frame" | "handshake" | "breach" | "gap"} kind
 * @property {number} conn
 * @property {string} role
 * @property {boolean} sent
 * @property {string} title
 * @property {string} [head]
 * @property {{text: string, meaning?: string, section?: string}[]} [lines]
 * @property {{key: string, joined: string, sha1: string, accept: string}} [accept]
 * @property {boolean} [parsed]
 * @property {number} offset
 * @property {string} [wire]
 * @property {string} [payload]
 * @property {number} length
 * @property {number} opcode
 * @property {boolean} fin
 * @property {boolean} masked
 * @property {string} [key]
 * @property {string} [before]
 * @property {string} [after]
 * @property {Row[]} [rows]
 * @property {boolean} [compressed]
 * @property {string} [content]
 * @property {number} [contentLength]
 * @property {Inflate} [inflate]
 * @property {{id: string, text: string, section: string, cost: string, detail?: string}} [rule]
 * @property {number} [gap]
 */

/** secret is 128 random bits, this page's own. */
export const secret = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/** at is an address of the server with the secret in it: "echo", "../ws". */
export function at(/** @type {string} */ path) {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("lab", secret);
  return url.href;
}

/**
 * watch calls onFact with each fact, and onState when the stream begins or breaks off.
 * What it returns ends it.
 * @param {(f: Fact, id: string) => void} onFact  id: of the place behind it
 * @param {(watching: boolean) => void} onState
 * @param {{ own?: string, after?: string }} options  own: the secret, if the page has made one
 *   itself; after: the id of the last fact that it has
 */
export function watch(onFact, onState, { own = secret, after = "" } = {}) {
  /** @type {EventSource} */
  let source;
  const open = () => {
    source = new EventSource(new URL(`facts?secret=${own}${after && `&after=${encodeURIComponent(after)}`}`, import.meta.url));
    source.addEventListener("open", () => onState(true));
    source.addEventListener("error", () => onState(false));
    source.addEventListener("message", (e) => onFact(JSON.parse(e.data), after = e.lastEventId));
  };
  const stream = { open, close: () => source.close() };
  open();
  streams.add(stream);
  watched.add(own);
  return () => {
    streams.delete(stream);
    source.close();
  };
}

/** leave has the server forget what it remembers for a secret, at once. */
export function leave(own = secret) {
  return fetch(new URL(`leave?secret=${own}`, import.meta.url), { method: "POST", keepalive: true }).catch(() => {}); // it forgets by itself, later
}

// A page that is left says so; one that comes back, as the browser had it, watches again.
const watched = /** @type {Set<string>} */ (new Set());
const streams = /** @type {Set<{open: () => void, close: () => void}>} */ (new Set());
addEventListener("pagehide", () => {
  streams.forEach((s) => s.close());
  watched.forEach((own) => leave(own));
});
addEventListener("pageshow", (e) => { if (e.persisted) streams.forEach((s) => s.open()); });

/** bytes are those of a hexadecimal string. */
export const bytes = (/** @type {string | undefined} */ hex) => (hex ?? "").match(/../g)?.map((h) => parseInt(h, 16)) ?? [];

/** spaced is a hexadecimal string with its bytes apart. */
export const spaced = (/** @type {string | undefined} */ hex) => (hex ?? "").replace(/..(?=.)/g, "$& ");

const utf8 = new TextDecoder();
/** text is what bytes are as UTF-8; what does not print is shown as a box. */
export const text = (/** @type {string | undefined} */ hex) => utf8.decode(new Uint8Array(bytes(hex))).replace(/[\p{Cc}\p{Cf}]/gu, "␣");
