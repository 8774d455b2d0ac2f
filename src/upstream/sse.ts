import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { callFailure } from "./errors.ts";
import type { UpstreamResponse } from "./response.ts";
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
export class EventDecoder {
  // StringDecoder takes half of the time of a streaming TextDecoder. The parser takes care of the BOM.
  readonly #text = new StringDecoder("utf8");
  readonly #overflow: () => Error;
  #events: ServerSentEvent[] = [];
  #overflowed = false;
  readonly #parser = createParser({
    maxBufferSize: eventLimit,
    onEvent: (event) => this.#events.push(event),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") this.#overflowed = true;
    },
  });

  /** `overflow` makes the error for an event beyond all bounds. */
  constructor(overflow: () => Error) {
    this.#overflow = overflow;
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
    if (this.#overflowed) throw this.#overflow();
  }

  #take(): readonly ServerSentEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** Reads the events of an answer. Not a generator: on the path of every delta, one more costs as much as the decoding. */
export class EventReader {
  readonly #response: UpstreamResponse;
  readonly #decoder: EventDecoder;
  #ended = false;

  constructor(response: UpstreamResponse, call: UpstreamCall) {
    this.#response = response;
    this.#decoder = new EventDecoder(() =>
      callFailure(call.outputStarted ? "PROVIDER_STREAM_INTERRUPTED" : "PROVIDER_FAULT", "an event is too long", call),
    );
  }

  /** The events of the next read that holds any. Undefined at the end of the body. */
  async next(): Promise<readonly ServerSentEvent[] | undefined> {
    while (!this.#ended) {
      const chunks = await this.#response.read();
      this.#ended = chunks === undefined;
      const events = chunks === undefined ? this.#decoder.end() : this.#decoder.decode(chunks);
      if (events.length === 0) continue;
      this.#response.sawEvent();
      return events;
    }
    return undefined;
  }
}
