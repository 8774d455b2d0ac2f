/**
 * Describes where JSON text is wrong, as the end of a sentence, by the error of `JSON.parse`. Empty if V8 does not tell
 * the place. Does not repeat V8's text, which quotes the input.
 */
export function placeOfSyntaxError(text: string, error: unknown): string {
  const message = String(error);
  if (message.includes("end of JSON input")) return "; it ends too early";
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
  if (line !== undefined) return `; see line ${line}, column ${column}`;
  const index = indexOfToken(text, message);
  if (index === undefined) return "";
  const lines = text.slice(0, index).split("\n");
  return `; see line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

/** Number of characters that V8 quotes before and after an unexpected token. */
const quoted = 10;

/** Finds an unexpected token by the text that V8 quotes around it. Undefined if that text is not unique. */
function indexOfToken(text: string, message: string): number | undefined {
  const [, before, around = "", after] = /, (\.\.\.)?"(.*)"(\.\.\.)? is not valid JSON$/s.exec(message) ?? [];
  if (before !== undefined) {
    const index = text.indexOf(around);
    return index < 0 || text.includes(around, index + 1) ? undefined : index + quoted;
  }
  return after === undefined ? undefined : Math.max(0, around.length - quoted);
}
