import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import type { Decoder } from "./decoder.ts";
import { callFailure } from "./errors.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** One server-sent event. */
export interface ServerSentEvent {
  /** Undefined when it has no name. */
  readonly event?: string | undefined;
  readonly data: string;
}

/** Characters of one event. The longest real ones, images and logprobs, are far shorter. */
const eventLimit = 16 * 1024 * 1024;

/**
 * Turns bytes into server-sent events, as they come and without waiting. Comments are keep-alives and left out.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class EventDecoder implements Decoder<ServerSentEvent> {
  readonly isWhole = false;
  // StringDecoder takes half of the time of a streaming TextDecoder. The parser takes care of the BOM.
  readonly #text = new StringDecoder("utf8");
  readonly #call: UpstreamCall;
  #events: ServerSentEvent[] = [];
  #overflowed = false;
  readonly #parser = createParser({
    maxBufferSize: eventLimit,
    onEvent: (event) => this.#events.push(event),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") this.#overflowed = true;
    },
  });

  constructor(call: UpstreamCall) {
    this.#call = call;
  }

  /** The events that end within these bytes. */
  decode(chunks: readonly Uint8Array[]): readonly ServerSentEvent[] {
    for (const chunk of chunks) this.#feed(this.#text.write(chunk));
    return this.#take();
  }

  /** The event that the end of the body cut short of its blank line, if there is one: several servers leave it out. */
  end(): readonly ServerSentEvent[] {
    this.#feed(`${this.#text.end()}\n\n`);
    return this.#take();
  }

  #feed(text: string): void {
    this.#parser.feed(text);
    if (!this.#overflowed) return;
    const message = "an event is too long";
    throw callFailure("PROVIDER_FAULT", message, this.#call, { interruption: message });
  }

  #take(): readonly ServerSentEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
