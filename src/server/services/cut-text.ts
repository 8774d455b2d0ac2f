/** Truncates a text to a number of UTF-8 bytes, without splitting a character. */
export function cutBytes(text: string, bytes: number): string {
  // A UTF-16 code unit has at most 3 bytes.
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text;
  const whole = Buffer.from(text);
  let end = Math.max(0, bytes);
  // Continuation bytes of a character begin with the bits 10.
  while (end > 0 && ((whole[end] ?? 0) & 0xc0) === 0x80) end--;
  return whole.toString("utf8", 0, end);
}

const ellipsis = "…";

/** Truncates a text like `cutBytes`, and ends it with an ellipsis. */
export function cutText(text: string, bytes: number): string {
  const cut = cutBytes(text, bytes);
  return cut === text ? text : cutBytes(text, bytes - Buffer.byteLength(ellipsis)) + ellipsis;
}
