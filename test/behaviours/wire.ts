import type { Script } from "../support/replay-upstream.ts";
import { readEvents } from "../surfaces/harness.ts";

// Responses in OpenAI's format, as backends send them.

const envelope = { id: "chatcmpl-1", created: 1_790_000_000 };

/** Further fields of the choice and of the response. */
interface More {
  readonly choice?: object;
  readonly [field: string]: unknown;
}

/** A whole response. Its default usage is 3 input and 2 output tokens. */
export function whole(message: object, { choice, ...fields }: More = {}): Script {
  const only = { index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...choice };
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  return replies(200, { ...envelope, object: "chat.completion", choices: [only], usage, ...fields });
}

/** A JSON response. */
export function replies(status: number, body: unknown, headers: Record<string, string> = {}): Script {
  const type = { "content-type": "application/json" };
  return { status, headers: { ...type, ...headers }, steps: [{ write: JSON.stringify(body) }] };
}

/** A complete streamed response. */
export function streamed(...chunks: readonly object[]): Script {
  return { steps: [...chunks.map((fields) => ({ write: chunk(fields) })), { write: "data: [DONE]\n\n" }] };
}

/** One chunk of a stream, as a server-sent event. */
export function chunk(fields: object): string {
  return `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", ...fields })}\n\n`;
}

/** Fields of a chunk that has one delta. */
export const delta = (fields: object, choice: object = {}) => ({ choices: [{ index: 0, delta: fields, ...choice }] });

/** Fields of the last chunk of a choice: finish reason and usage. */
export const finish = (fields: object = {}, choice: object = {}) => ({
  ...delta({}, { finish_reason: "stop", ...choice }),
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  ...fields,
});

/** Chunk of a stream that Dragoman sends: the fields that these tests read. */
export interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: Readonly<Record<string, unknown>>;
    readonly finish_reason?: string | null;
    readonly logprobs?: { readonly content: readonly unknown[] } | null;
  }[];
  readonly usage?: Readonly<Record<string, number>> | null;
  readonly [field: string]: unknown;
}

/** Reads the chunks of a stream. Throws if it does not end with `[DONE]`. */
export async function chunksOf(response: Response): Promise<readonly Chunk[]> {
  const { data } = await readEvents(response);
  if (data.at(-1) !== "[DONE]") throw new Error(`the stream ends with ${data.at(-1)} instead of [DONE]`);
  return data.slice(0, -1).map((line): Chunk => JSON.parse(line));
}

/** Joins the text of one choice of a stream. */
export function textOf(chunks: readonly Chunk[], index = 0): string {
  const deltas = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index));
  return deltas.map((choice) => choice.delta.content ?? "").join("");
}

/** Returns reason and field of each warning of an HTTP response about the request or its translation. */
export function warningsOf({ headers }: { readonly headers: Headers }): readonly (readonly [string, string])[] {
  const warnings: { reason: string; field: string }[] = JSON.parse(headers.get("x-dragoman-warnings") ?? "[]");
  return warnings.filter(({ reason }) => reason !== "PRICE_UNKNOWN").map(({ reason, field }) => [reason, field]);
}
