import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Reason } from "../../src/errors.ts";
import type { ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletionSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";

type Init<Schema extends typeof ChatRequestSchema | typeof ChatCompletionSchema> = Exclude<
  MessageInitShape<Schema>,
  { $typeName: string }
>;

/** What every dialect must be able to read, where the case exists there. */
export const cases = [
  "plain text",
  "empty text",
  "two parallel tool calls with interleaved fragments",
  "a tool call without arguments",
  "reasoning, then text",
  "reasoning with a signature",
  "redacted reasoning",
  "a refusal",
  "a content filter",
  "a length stop",
  "a matched stop sequence",
  "usage in the last chunk",
  "usage on the finish chunk",
  "usage split over two events",
  "no usage",
  "cached, cache-write and reasoning tokens",
  "log probabilities",
  "two choices",
  "an unknown event and unknown fields",
  "an unknown finish reason",
  "pings and comments",
] as const;
export type CaseName = (typeof cases)[number];

/** Why a case does not exist in a dialect. */
export interface NotApplicable {
  readonly why: string;
}

/** One answer on the wire and what it means. */
export interface AnswerCase {
  /** Fields of the request beside one user message, such as `parameters: { logprobs: true }`. */
  readonly request?: Init<typeof ChatRequestSchema>;
  /** The bytes of the streamed answer's body, as the provider sends them. */
  readonly wire: string | Uint8Array;
  /**
   * What the fold of the events must hold (a part of ChatCompletion, as create() takes it): choices in full, usage in
   * full where the case is about it.
   */
  readonly completion: Init<typeof ChatCompletionSchema>;
}

/** An error before the stream. */
export interface ErrorCase {
  /** Says which row of the provider's documents it is. */
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body: string | Readonly<Record<string, unknown>>;
  readonly reason: Reason;
  /** The code that ProviderError must carry. Default: not looked at. */
  readonly code?: string;
  /** What RetryInfo must say, in milliseconds; undefined: no RetryInfo. */
  readonly retryAfterMs?: number;
}

/** A conversation of two turns: what the model said in the first must go back in the second exactly. */
export interface ReplayCase {
  /** The first answer, with what the provider wants back: thoughts, signatures, tool calls. */
  readonly wire: string | Uint8Array;
  /** The results of the calls, by the tool's name. */
  readonly results?: Readonly<Record<string, string>>;
  /** The part of the second request's body that holds the conversation, as JSON: `messages`, `contents`. */
  readonly field: string;
  readonly sent: unknown;
}

/** One dialect, as the contract suite tests it. Fixtures are written from the provider's published types and documents. */
export interface Dialect {
  readonly name: string;
  /** Where the fixtures' shapes come from: documents, SDK types and their versions. */
  readonly provenance: string;
  /** The model that is asked. */
  readonly model: Model;
  /** Makes the adapter for an upstream at `baseUrl`, with generous timeouts. */
  create(baseUrl: string): Adapter;
  /** Headers of a streamed answer. Default: `content-type: text/event-stream`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<CaseName, AnswerCase | NotApplicable>>;
  /** Every row of the provider's error table. */
  readonly errors: readonly ErrorCase[];
  /** Wire bytes of answers that fail after they began. Each begins with output and then fails. */
  readonly failures: readonly { readonly name: string; readonly wire: string | Uint8Array; readonly reason: Reason }[];
  readonly replay: ReplayCase | NotApplicable;
  /** A request with every field that the dialect takes, and the exact JSON that must be sent, as `describe` gives it. */
  readonly everything: { readonly request: ChatRequest; readonly sent: unknown };
  /** Requests that cannot be translated whole, and the adaptations that must be reported: field and kind. */
  readonly limited: readonly {
    readonly name: string;
    readonly request: ChatRequest;
    readonly adaptations: readonly { readonly kind: string; readonly field: string }[];
  }[];
}

export function isApplicable<T extends object>(entry: T | NotApplicable): entry is T {
  return !("why" in entry);
}
