import { StringDecoder } from "node:string_decoder";
import { separator } from "./body-form.ts";
import type { Decoder } from "./decoder.ts";
import { unusableAnswer } from "./errors.ts";
import { eventLimit, type ServerSentEvent } from "./sse.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Decodes each line as one unnamed event: NDJSON, and JSON text sequences (RFC 7464). */
export class LineDecoder implements Decoder<ServerSentEvent> {
  readonly isWhole = false;
  ignored = 0;
  readonly #text = new StringDecoder("utf8");
  readonly #call: UpstreamCall;
  /** Line in progress. Joined only at its end: to append to a string in each read could take quadratic time. */
  #pieces: string[] = [];
  #length = 0;

  constructor(call: UpstreamCall) {
    this.#call = call;
  }

  decode(chunks: readonly Uint8Array[]): readonly ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    for (const chunk of chunks) this.#feed(this.#text.write(chunk), events);
    return events;
  }

  end(): readonly ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    this.#feed(`${this.#text.end()}\n`, events);
    return events;
  }

  #feed(text: string, events: ServerSentEvent[]): void {
    const [first = "", ...others] = text.split(/\r\n|\r|\n/);
    this.#add(first);
    for (const next of others) {
      const data = this.#pieces.join("").replace(separator, "").trim();
      if (data === "") this.ignored++;
      else events.push({ data });
      this.#pieces = [];
      this.#length = 0;
      this.#add(next);
    }
  }

  #add(piece: string): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length > eventLimit) throw unusableAnswer(this.#call, "a line is too long");
  }
}
