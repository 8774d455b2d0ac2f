import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import type { Decoder } from "./decoder.ts";
import { callFailure } from "./errors.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** One server-sent event. */
export interface ServerSentEvent {
  /** Event name. Undefined if the event has none. */
  readonly event?: string | undefined;
  readonly data: string;
}

/** Maximum characters of one event. The longest real events, with images or logprobs, are far shorter. */
export const eventLimit = 16 * 1024 * 1024;

/**
 * Decodes server-sent events incrementally. Drops comments, which providers send as keep-alives.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class EventDecoder implements Decoder<ServerSentEvent> {
  readonly isWhole = false;
  ignored = 0;
  // StringDecoder needs half the time of a streaming TextDecoder.
  readonly #text = new StringDecoder("utf8");
  readonly #call: UpstreamCall;
  #events: ServerSentEvent[] = [];
  #overflowed = false;
  #begun = false;
  readonly #parser = createParser({
    maxBufferSize: eventLimit,
    onEvent: (event) => this.#events.push(event),
    onComment: () => this.ignored++,
    onRetry: () => this.ignored++,
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") this.#overflowed = true;
      else this.ignored++;
    },
  });

  constructor(call: UpstreamCall) {
    this.#call = call;
  }

  /** Returns the events that end within these bytes. */
  decode(chunks: readonly Uint8Array[]): readonly ServerSentEvent[] {
    for (const chunk of chunks) this.#feed(this.#text.write(chunk));
    return this.#take();
  }

  /** Returns the last event if its blank line is missing: several servers omit it at the end of the body. */
  end(): readonly ServerSentEvent[] {
    this.#feed(`${this.#text.end()}\n\n`);
    return this.#take();
  }

  #feed(text: string): void {
    // The parser removes one byte order mark. A proxy in front of a server that writes one may add another.
    const rest = this.#begun ? text : text.replace(/^\uFEFF+/, "");
    this.#begun ||= rest !== "";
    this.#parser.feed(rest);
    if (!this.#overflowed) return;
    const message = "the provider sent an event that is too long";
    throw callFailure("PROVIDER_FAULT", message, this.#call, { interruption: message });
  }

  #take(): readonly ServerSentEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
