/**
 * Returns a regular expression of a JSON Schema in the form that JavaScript accepts with the flag `u`. Schemas in use
 * also have escapes that only other engines accept, such as `\-` or `\@`. Undefined: the expression has a syntax error.
 */
export function unicodePattern(pattern: string): string | undefined {
  if (isPattern(pattern)) return pattern;
  const escaped = pattern.replaceAll(/\\([\s\S])/g, (pair, character: string) =>
    /[a-zA-Z0-9^$\\.*+?()[\]{}|/]/.test(character) || character > "\u007f" ? pair : hexEscape(character),
  );
  return isPattern(escaped) ? escaped : undefined;
}

function hexEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}
