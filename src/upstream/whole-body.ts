import type { Decoder } from "./decoder.ts";
import { malformedAnswer } from "./errors.ts";
import type { UpstreamResponse } from "./response.ts";
import { EventDecoder, type ServerSentEvent } from "./sse.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** Whether an answer is one JSON value. Some servers answer a request for a stream so, errors included. */
export function isWhole(response: UpstreamResponse): boolean {
  return response.header("content-type")?.includes("application/json") ?? false;
}

/** The decoder for server-sent events, or for one JSON value where the answer is that: it is read like one large event. */
export function eventDecoder(response: UpstreamResponse, call: UpstreamCall): Decoder<ServerSentEvent> {
  return isWhole(response) ? new WholeDecoder(call) : new EventDecoder(call);
}

/** Takes a body as one event without a name. */
class WholeDecoder implements Decoder<ServerSentEvent> {
  readonly isWhole = true;
  readonly #call: UpstreamCall;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(call: UpstreamCall) {
    this.#call = call;
  }

  decode(chunks: readonly Uint8Array[]): readonly ServerSentEvent[] {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
    }
    if (this.#size > wholeAnswerLimit) throw malformedAnswer(this.#call, "it is too long");
    return [];
  }

  end(): readonly ServerSentEvent[] {
    return [{ data: Buffer.concat(this.#chunks).toString() }];
  }
}
