// Bytes, in whatever a page has them.

/** @typedef {ArrayBuffer | ArrayBufferView} Bytes */

/** @returns {v is Bytes} */
export const isBytes = (/** @type {unknown} */ v) => v instanceof ArrayBuffer || ArrayBuffer.isView(v);

const view = (/** @type {Bytes} */ v) => (v instanceof ArrayBuffer ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength));

export function toBase64(/** @type {Bytes} */ v) {
  let s = '';
  const b = view(v);
  for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192));
  return btoa(s);
}

export const fromBase64 = (/** @type {string} */ text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
