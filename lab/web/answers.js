// Whether what somebody wrote is the answer, in any of the ways in which one writes it.

/** @typedef {"number" | "hexadecimal" | "word" | "exact"} Kind */

/** plain is an answer without what does not matter to its kind; each function is given it trimmed. */
const plain = /** @type {Record<Kind, (s: string) => string>} */ ({
  number: (s) => s.toLowerCase().replace(/^(?:(?:http|close|status|code|version)\b[\s:#]*)+/, "").replace(/\s*(?:bytes?|\(.*\))?\.?$/, ""),
  hexadecimal: (s) => s.toLowerCase().replace(/\b0x|\\x/g, "").replace(/[\s|:,.]+/g, ""),
  word: (s) => s.toLowerCase().replace(/^["'“‘]|["'”’.]+$/g, "").replace(/^(?:the|its|an?)\s+/, "").replace(/\s+/g, ""),
  exact: (s) => s,
});

/** accepts says whether what was said is one of the answers. */
export function accepts(/** @type {Kind} */ kind, /** @type {string[]} */ answers, /** @type {string} */ said) {
  const made = plain[kind](said.trim());
  return made !== "" && answers.some((a) => plain[kind](a) === made);
}
