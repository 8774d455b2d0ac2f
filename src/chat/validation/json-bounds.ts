/**
 * Levels that JSON may nest. Whatever walks through it afterwards, here and in libraries, calls itself for each level;
 * schemas of tools and answers have some twenty.
 */
export const mostLevels = 128;

/**
 * Values that the JSON of a request may have. Each costs up to half a kilobyte where it is of the wrong kind, so that
 * 16 MiB of `0,` would take all the memory that there is. A conversation of 10,000 messages has some 100,000.
 */
export const mostValues = 250_000;

/**
 * What JSON text has too many of; undefined when it is within bounds. Whether it is JSON at all is for a parser to say:
 * this only counts, one look at each character outside of strings.
 */
export function excessOf(text: string): "levels" | "values" | undefined {
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
    if (values > mostValues) return "values";
  }
  return undefined;
}

/** The place of the quotation mark that ends a string. */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (before > begin && text[before - 1] === "\\") before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
