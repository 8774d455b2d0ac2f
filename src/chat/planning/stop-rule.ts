/** Stop sequences that a provider's API accepts. Dragoman ends the response itself at the others. */
export interface StopRule {
  /** Maximum number. Undefined: the contract's, 16. */
  readonly max?: number;
  /** Maximum length of one, in bytes of UTF-8. Undefined: the contract's. */
  readonly maxBytes?: number;
  /** Whether the API rejects a stop sequence of white space only. */
  readonly rejectsBlank?: boolean;
}

/** Divides stop sequences, without repeats, into those to send and those that the API does not accept. */
export function divideStops(
  stops: readonly string[],
  { max = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, rejectsBlank = false }: StopRule,
): { readonly sent: readonly string[]; readonly emulated: readonly string[]; readonly why: readonly string[] } {
  const blank = new Set(rejectsBlank ? stops.filter((stop) => stop.trim() === "") : []);
  const long = new Set(stops.filter((stop) => !blank.has(stop) && Buffer.byteLength(stop) > maxBytes));
  const fit = [...new Set(stops)].filter((stop) => !blank.has(stop) && !long.has(stop));
  const why = [
    ...(blank.size > 0 ? ["does not accept blank stop sequences"] : []),
    ...(long.size > 0 ? [`supports stop sequences of at most ${maxBytes} bytes`] : []),
    ...(fit.length > max ? [`supports at most ${max} stop sequences`] : []),
  ];
  return { sent: fit.slice(0, max), emulated: [...blank, ...long, ...fit.slice(max)], why };
}
