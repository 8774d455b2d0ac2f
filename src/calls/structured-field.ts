/** Characters of a token: RFC 9651, section 3.3.4. */
const token = /^[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*$/;

/**
 * Formats a text as an item of a structured header field (RFC 9651): as a token if it can be one, else as a string, or
 * as a display string if it has characters other than printable ASCII. The result is ASCII without line breaks.
 *
 * @param maxLength maximum length of the result. A longer text loses whole characters at its end.
 */
export function formatItem(text: string, maxLength: number): string {
  if (token.test(text)) return text.slice(0, maxLength);
  const isPrintable = /^[\x20-\x7e]*$/.test(text);
  let item = isPrintable ? '"' : '%"';
  for (const character of text) {
    const next = isPrintable ? escaped(character) : percentEncode(character);
    if (item.length + next.length >= maxLength) break;
    item += next;
  }
  return `${item}"`;
}

/** Encodes a character of a string: RFC 9651, section 4.1.6. */
function escaped(character: string): string {
  return character === '"' || character === "\\" ? `\\${character}` : character;
}

/** Encodes a character of a display string: RFC 9651, section 4.1.11. Half a surrogate pair becomes U+FFFD. */
function percentEncode(character: string): string {
  if (/^[\x20-\x7e]$/.test(character) && character !== '"' && character !== "%") return character;
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
