import { type ChatEvent, started, textDelta } from "../../src/chat/stream/events.ts";
import { GatewayError } from "../../src/errors.ts";
import { type Exchange, exchange } from "../../src/upstream/exchange.ts";
import type { Upstream } from "../../src/upstream/http.ts";
import { readText } from "../../src/upstream/read-text.ts";
import type { ServerSentEvent } from "../../src/upstream/sse.ts";
import type { AttemptContext, UpstreamCall } from "../../src/upstream/upstream-call.ts";
import { eventDecoder } from "../../src/upstream/whole-body.ts";
import { context } from "../providers/chat-completions/harness.ts";

/**
 * A provider API whose events are words. `.` ends the response, `~` is hidden reasoning, `-` an event without output,
 * `!` an error.
 */
export const inWords = (call: UpstreamCall): Exchange<undefined, ServerSentEvent, ChatEvent> => ({
  path: "/words",
  headers: {},
  body: "{}",
  accepted: [started()],
  failure: async (response) => new GatewayError("PROVIDER_FAULT", (await readText(response, 1024)).text),
  read: (response) => ({
    decoder: eventDecoder(response, call),
    answer: undefined,
    toEvents(_, { data }, batch) {
      if (data === "!") throw new GatewayError("PROVIDER_FAULT", "no word");
      if (data === "~") call.hadHiddenOutput = true;
      else if (data !== "-" && data !== ".") batch.push(textDelta(0, 0, data));
      if (data === ".") call.hasEnd = true;
      return data === ".";
    },
    endEvents: () => {
      if (!call.hasEnd) throw new GatewayError("PROVIDER_STREAM_INTERRUPTED", "the words ended without a period");
    },
  }),
});

/** Words of a response so far, and the error that ended it. */
export interface Answer {
  readonly words: readonly string[];
  readonly error: GatewayError | undefined;
}

/** Asks for words. Calls `onWords` after each read, and awaits it before the next one. */
export async function ask(
  upstream: Upstream,
  more: Partial<AttemptContext> = {},
  onWords: (words: readonly string[]) => unknown = () => {},
): Promise<Answer> {
  const words: string[] = [];
  try {
    for await (const batch of exchange(upstream, { ...context(), ...more }, inWords)) {
      for (const { case: kind, value } of batch) {
        if (kind === "delta" && value.delta.case === "text") words.push(value.delta.value);
      }
      if (words.length > 0) await onWords(words);
    }
  } catch (error) {
    if (error instanceof GatewayError) return { words, error };
    throw error;
  }
  return { words, error: undefined };
}
