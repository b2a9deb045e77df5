// Texts that the client makes, and those that it cannot send.

/** randomText returns n random bytes as hexadecimal text. */
export function randomText(n = 16) {
  const bytes = crypto.getRandomValues(new Uint8Array(n)); // unlike randomUUID, works without TLS too
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** wellFormed reports whether text can be written in UTF-8: half of a surrogate pair cannot, and the server closes for it. */
export const wellFormed = (/** @type {string} */ text) => !/\p{Surrogate}/u.test(text);

/** HALF says what is wrong with text that is not well-formed. */
export const HALF = "it has half of a character in it (a lone surrogate), which cannot be sent";
