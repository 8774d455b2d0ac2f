/** Cuts the bytes of an answer into items: server-sent events, frames of an event stream, or the body as a whole. */
export interface Decoder<Item> {
  /** Whether the body is one item. Then each byte restarts the idle timer: there are no keep-alives. */
  readonly isWhole: boolean;
  /** The items that end within these bytes. Throws a GatewayError at the first that is none. */
  decode(chunks: readonly Uint8Array[]): Iterable<Item>;
  /** The items that the end of the body ends. Throws a GatewayError if the body may not end here. */
  end(): Iterable<Item>;
}
