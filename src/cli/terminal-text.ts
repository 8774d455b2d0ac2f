/**
 * Replaces what a terminal would obey in a text of several lines: control characters except line feeds and tabs, and
 * characters that change the direction of what follows. Models choose their output.
 */
export function harmless(text: string): string {
  // Carriage returns would let a line overwrite itself.
  return text.replaceAll("\r", "").replaceAll(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu, "\ufffd");
}

/** Escapes the characters in JSON that a terminal would obey. */
export function escapeControls(json: string): string {
  return json.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
