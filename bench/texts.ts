/** The text of one delta of the upstream's streams. It names its place, so that a loss or a swap shows. */
export function deltaText(index: number): string {
  return ` word${index}`;
}
