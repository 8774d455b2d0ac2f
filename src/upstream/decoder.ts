/** Part of a response body. */
export interface DecodedItem {
  /** Its content, such as JSON. */
  readonly data: string;
}

/** Splits a response body into items: server-sent events, frames of an AWS event stream, or the complete body. */
export interface Decoder<Item extends DecodedItem> {
  /** Whether the complete body is one item. Then any data restarts the idle timer, since there are no keep-alives. */
  readonly isWhole: boolean;
  /** Number of comments and other lines so far that belong to no item. Undefined: the format has none. */
  readonly ignored?: number;
  /** Yields the items that end within these bytes. Throws a GatewayError at the first invalid item. */
  decode(chunks: readonly Uint8Array[]): Iterable<Item>;
  /** Yields the items that end with the body. Throws a GatewayError if the body is truncated. */
  end(): Iterable<Item>;
}
