import { declaresJson } from "./body-form.ts";
import type { Decoder } from "./decoder.ts";
import { unusableAnswer } from "./errors.ts";
import { LineDecoder } from "./lines.ts";
import type { UpstreamResponse } from "./response.ts";
import { EventDecoder, type ServerSentEvent } from "./sse.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Maximum bytes of a JSON response. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** Returns whether a response is one JSON value. Some servers send one, or a JSON error, despite `stream: true`. */
export function isWhole({ form, contentType }: UpstreamResponse): boolean {
  return form === "json" || (form === "other" && declaresJson(contentType));
}

/**
 * Creates a decoder of server-sent events. It decodes a JSON response as one large event, and each line of NDJSON as an
 * event.
 */
export function eventDecoder(response: UpstreamResponse, call: UpstreamCall): Decoder<ServerSentEvent> {
  if (isWhole(response)) return new WholeDecoder(call);
  return response.form === "lines" ? new LineDecoder(call) : new EventDecoder(call);
}

/** Creates a decoder of a JSON response, whatever form it seems to have. */
export function wholeDecoder(call: UpstreamCall): Decoder<ServerSentEvent> {
  return new WholeDecoder(call);
}

/** Decodes a complete body as one unnamed event. */
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
    if (this.#size > wholeAnswerLimit) throw unusableAnswer(this.#call, "it is too long");
    return [];
  }

  end(): readonly ServerSentEvent[] {
    return [
      {
        data: Buffer.concat(this.#chunks)
          .toString()
          .replace(/^\uFEFF+/, ""),
      },
    ];
  }
}
