import { streamEnd, textChunk } from "./openai-wire.ts";
import {
  type RecordedRequest,
  type ReplayUpstream,
  type Script,
  type Step,
  startReplayUpstream,
} from "./replay-upstream.ts";

/** Answers one request to OpenAI's chat API. */
export type Play = (request: RecordedRequest) => Script;

const never = new Promise<never>(() => {});
const json = { "content-type": "application/json" };

/** Event of a stream that begins it without output. */
const roleChunk = textChunk("");

export function isStreamed({ body }: RecordedRequest): boolean {
  return JSON.parse(body).stream === true;
}

/** Returns the API key of a request. */
export function keyOf({ headers }: RecordedRequest): string {
  return (headers.authorization ?? "").replace("Bearer ", "");
}

/** Body of a response that is no stream. */
export function wholeBody(text: string): string {
  const message = { role: "assistant", content: text };
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  return JSON.stringify({ id: "chatcmpl-1", object: "chat.completion", created: 1_790_000_000, choices, usage });
}

/** Answers with a text, as a stream or as a whole, whatever the request wants. */
export const answers =
  (text: string, headers: Readonly<Record<string, string>> = {}): Play =>
  (request) =>
    isStreamed(request)
      ? { headers, steps: [{ write: textChunk(text) }, { write: streamEnd }] }
      : { headers: { ...json, ...headers }, steps: [{ write: wholeBody(text) }] };

/** Rejects with a status and an error in OpenAI's shape. */
export const rejects =
  (status: number, { code, message = "no", headers = {} }: Rejection = {}): Play =>
  () => ({
    status,
    headers: { ...json, ...headers },
    steps: [{ write: JSON.stringify({ error: { message, type: "error", code: code ?? null } }) }],
  });

interface Rejection {
  readonly code?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Limits the rate of a key for some milliseconds. */
export const limits = (ms: number): Play => rejects(429, { headers: { "retry-after-ms": String(ms) } });

export const resets: Play = () => ({ resets: true });

/** Sends nothing. */
export const stalls: Play = () => ({ holdHeaders: never });

/** Sends headers and nothing else. */
export const stallsAfterHeaders: Play = (request) => ({
  ...(isStreamed(request) ? {} : { headers: json }),
  steps: [{ hold: never }],
});

/** Begins a stream and then sends no output. */
export const stallsAfterStarted: Play = (request) =>
  isStreamed(request) ? { steps: [{ write: roleChunk }, { hold: never }] } : stallsAfterHeaders(request);

/** Sends the first part of a response, and then does as the steps say. */
export const begins =
  (text: string, ...then: readonly Step[]): Play =>
  (request) =>
    isStreamed(request)
      ? { steps: [{ write: textChunk(text) }, ...then] }
      : { headers: json, steps: [{ write: wholeBody(text).slice(0, 90) }, ...then] };

export const stallsInBody: Play = begins("half ", { hold: never });
export const cutsInBody: Play = begins("half ", { cut: true });
export const resetsInBody: Play = begins("half ", { reset: true });
/** Ends a response too early, but without an error of the connection. */
export const endsEarly: Play = begins("half ");

/** Accepts the request, and then reports an error in the body. */
export const failsInside: Play = (request) => {
  const error = JSON.stringify({
    error: { message: "overloaded", type: "server_error", code: "server_is_overloaded" },
  });
  return isStreamed(request)
    ? { steps: [{ write: roleChunk }, { write: `data: ${error}\n\n` }] }
    : { headers: json, steps: [{ write: error }] };
};

/** Answers with JSON that cannot be parsed. */
export const malformed: Play = (request) =>
  isStreamed(request)
    ? { steps: [{ write: roleChunk }, { write: 'data: {"choices": [{"index": 0, "del\n\n' }] }
    : { headers: json, steps: [{ write: '{"choices": [{"index": 0, "mes}' }] };

/** A scripted server with OpenAI's chat API. */
export interface ChatUpstream extends ReplayUpstream {
  /** Sets how the server answers the next requests; the last one repeats. */
  plays(...plays: readonly Play[]): void;
  /** Resolves when the server has received this many requests. */
  received(count: number): Promise<RecordedRequest>;
}

export async function startChatUpstream(...first: readonly Play[]): Promise<ChatUpstream> {
  let queue = [...first];
  const upstream = await startReplayUpstream((request) => {
    const play = queue.length > 1 ? queue.shift() : queue[0];
    return play?.(request) ?? rejects(500)(request);
  });
  return {
    ...upstream,
    get connections() {
      return upstream.connections;
    },
    get floodedBytes() {
      return upstream.floodedBytes;
    },
    plays(...plays) {
      queue = [...plays];
    },
    async received(count) {
      while (upstream.requests.length < count) await upstream.nextRequest();
      return upstream.requests[count - 1] as RecordedRequest;
    },
  };
}
