/**
 * Maximum nesting depth of JSON in a request. Code in Dragoman and its libraries recurses once per level. Schemas of
 * tools and output formats have about 20 levels.
 */
export const mostLevels = 128;

/**
 * Returns the bound that a JSON text exceeds, or undefined. Does not check that the text is valid JSON: it only counts,
 * in one pass.
 *
 * @param most maximum number of values
 */
export function excessOf(text: string, maxValues: number): "levels" | "values" | undefined {
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
    if (values > maxValues) return "values";
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
