/**
 * Maximum nesting depth of JSON in a request. Code in Dragoman and its libraries recurses once per level. Schemas of
 * tools and output formats have about 20 levels.
 */
export const mostLevels = 128;

/**
 * Maximum number of values in the JSON of a request. A value of a wrong type takes up to 512 bytes. So
 * the 8 million values of 16 MiB of `0,` would use up all memory. A conversation of 10,000 messages has about 100,000
 * values.
 */
export const mostValues = 250_000;

/**
 * Returns the bound that a JSON text exceeds, or undefined. Does not check that the text is valid JSON: it only counts,
 * in one pass.
 *
 * @param most maximum number of values
 */
export function excessOf(text: string, most = mostValues): "levels" | "values" | undefined {
  let level = 0;
  let values = 1;
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case '"':
        index = endOfString(text, index + 1);
        break;
      case "[":
      case "{":
        if (++level > mostLevels) return "levels";
        values++;
        break;
      case "]":
      case "}":
        level--;
        break;
      case ",":
        values++;
        break;
    }
    if (values > most) return "values";
  }
  return undefined;
}

/** Returns the index of the quotation mark that ends a string. */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (before > begin && text[before - 1] === "\\") before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
