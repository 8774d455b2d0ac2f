import type { Script } from "../support/replay-upstream.ts";
import { readEvents } from "../surfaces/harness.ts";

// Answers of OpenAI's dialect, as backends send them.

const envelope = { id: "chatcmpl-1", created: 1_790_000_000, model: "m" };

/** What a choice has beside its message, and an answer beside its choice. */
interface More {
  readonly choice?: object;
  readonly [field: string]: unknown;
}

/** An answer in one piece, of 3 and 2 tokens unless said. */
export function whole(message: object, { choice, ...fields }: More = {}): Script {
  const only = { index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...choice };
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  return replies(200, { ...envelope, object: "chat.completion", choices: [only], usage, ...fields });
}

/** Any answer of JSON. */
export function replies(status: number, body: unknown, headers: Record<string, string> = {}): Script {
  const type = { "content-type": "application/json" };
  return { status, headers: { ...type, ...headers }, steps: [{ write: JSON.stringify(body) }] };
}

/** A streamed answer, to its end. */
export function streamed(...chunks: readonly object[]): Script {
  return { steps: [...chunks.map((fields) => ({ write: chunk(fields) })), { write: "data: [DONE]\n\n" }] };
}

/** One event of a stream. */
export function chunk(fields: object): string {
  return `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", ...fields })}\n\n`;
}

/** A piece of a choice. */
export const delta = (piece: object, choice: object = {}) => ({ choices: [{ index: 0, delta: piece, ...choice }] });

/** The end of a choice, with the usage on it. */
export const finish = (fields: object = {}, choice: object = {}) => ({
  ...delta({}, { finish_reason: "stop", ...choice }),
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  ...fields,
});

/** What a stream of this service's sends, as far as these tests look into it. */
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

/** The chunks of a stream that ends with `[DONE]`. */
export async function chunksOf(response: Response): Promise<readonly Chunk[]> {
  const { data } = await readEvents(response);
  if (data.at(-1) !== "[DONE]") throw new Error(`the stream ends with ${data.at(-1)}`);
  return data.slice(0, -1).map((line): Chunk => JSON.parse(line));
}

/** The text of one choice of a stream. */
export function textOf(chunks: readonly Chunk[], index = 0): string {
  const deltas = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index));
  return deltas.map((choice) => choice.delta.content ?? "").join("");
}

/** The fields that the warnings of an answer over HTTP name, with their reasons. */
export function warningsOf({ headers }: { readonly headers: Headers }): readonly (readonly [string, string])[] {
  const warnings: { reason: string; field: string }[] = JSON.parse(headers.get("x-dragoman-warnings") ?? "[]");
  return warnings.map(({ reason, field }) => [reason, field]);
}
