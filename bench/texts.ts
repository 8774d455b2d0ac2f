/** Returns the text of one upstream delta. The text contains the index, so lost or reordered deltas can be detected. */
export function deltaText(index: number): string {
  return ` word${index}`;
}
