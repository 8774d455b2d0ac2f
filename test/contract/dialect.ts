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

/** Bytes of a streamed answer, and those of the same answer in one piece. */
export interface Wire {
  /** The bytes of the streamed answer's body, as the provider sends them. */
  readonly wire: string | Uint8Array;
  /** The whole answer's body where the rule of the dialect does not give it, or why there is none. */
  readonly whole?: string | NotApplicable;
}

/** The second form of a dialect's answers: one JSON text, as `Adapter.complete` requests it. */
export interface WholeForm {
  /** Where the shape comes from: the type of the whole answer, beside that of the streamed one. */
  readonly provenance: string;
  /** The body of the whole answer with the content of a streamed one; undefined if that holds something but JSON. */
  toBody(wire: string): string | undefined;
}

/** One answer on the wire and what it means. */
export interface AnswerCase extends Wire {
  /** Fields of the request beside one user message, such as `parameters: { logprobs: true }`. */
  readonly request?: Init<typeof ChatRequestSchema>;
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

/** An answer that fails after it began: it begins with output. */
export interface FailureCase extends Wire {
  readonly name: string;
  readonly reason: Reason;
}

/**
 * A conversation of two turns. The first answer has what the provider wants back: reasoning, signatures, tool calls. It
 * must go back in the second request exactly.
 */
export interface ReplayCase extends Wire {
  /** The results of the calls, by the tool's name. */
  readonly results?: Readonly<Record<string, string>>;
  /** The part of the second request's body that holds the conversation, as JSON: `messages`, `contents`. */
  readonly field: string;
  readonly sent: unknown;
}

/** One dialect, as the contract suite tests it. Fixtures are written from the provider's published types and documents. */
export interface Dialect {
  /** The provider's name in the registry. */
  readonly name: string;
  /** Tells several dialects of one provider apart, such as `v1`. */
  readonly variant?: string;
  /** Where the fixtures' shapes come from: documents, SDK types and their versions. */
  readonly provenance: string;
  /** The model that is asked. */
  readonly model: Model;
  /** Makes the adapter for an upstream at `baseUrl`, with generous timeouts. */
  create(baseUrl: string): Adapter;
  /** Headers of a streamed answer. Default: `content-type: text/event-stream`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<CaseName, AnswerCase | NotApplicable>>;
  /** The form of whole answers, or why the adapter has no `complete`. */
  readonly whole: WholeForm | NotApplicable;
  /** The reader of the bytes. Dialects that share one are cut into reads once, in the first of them. */
  readonly reader: string;
  /** Every row of the provider's error table. */
  readonly errors: readonly ErrorCase[];
  readonly failures: readonly FailureCase[];
  readonly replay: ReplayCase;
  /** A request with every field that the dialect takes, and the exact JSON that must be sent, as `describe` gives it. */
  readonly everything: { readonly request: ChatRequest; readonly sent: unknown };
  /** Requests that cannot be translated whole, and the adaptations that must be reported: field and kind. */
  readonly limited: readonly {
    readonly name: string;
    readonly request: ChatRequest;
    readonly adaptations: readonly { readonly kind: string; readonly field: string }[];
  }[];
}

/** The two forms of an answer: a stream, for `Adapter.stream`, and one JSON text, for `Adapter.complete`. */
export const forms = ["streamed", "whole"] as const;
export type Form = (typeof forms)[number];

/** The forms in which a dialect gives answers. */
export const formsOf = ({ whole }: Dialect): readonly Form[] => (isApplicable(whole) ? forms : ["streamed"]);

/** Cases that no whole answer can have. */
const onlyStreamed: Partial<Record<CaseName, NotApplicable>> = {
  "pings and comments": { why: "a whole answer is one JSON text, with nothing before its end" },
};

/** The bytes of a case in one form, or why it does not exist there. */
export function wireOf(dialect: Dialect, form: Form, name: CaseName): string | Uint8Array | NotApplicable {
  const entry = dialect.answers[name];
  if (!isApplicable(entry)) return entry;
  return (form === "whole" && onlyStreamed[name]) || bytesOf(dialect, form, entry);
}

/** The bytes of an answer in one form, or why it does not exist there. */
export function bytesOf({ whole }: Dialect, form: Form, { wire, ...own }: Wire): string | Uint8Array | NotApplicable {
  if (form === "streamed") return wire;
  if (!isApplicable(whole)) return whole;
  return own.whole ?? whole.toBody(Buffer.from(wire).toString()) ?? notJson;
}

/** Why a streamed answer has no whole form by its dialect's rule. No case of an answer may have this reason. */
export const notJson: NotApplicable = { why: "the streamed answer holds something but JSON" };

export function isBytes(wire: string | Uint8Array | NotApplicable): wire is string | Uint8Array {
  return typeof wire === "string" || wire instanceof Uint8Array;
}

/** The name of a dialect, with its variant. */
export const titleOf = ({ name, variant }: Dialect): string => (variant === undefined ? name : `${name} ${variant}`);

/** The heading of a dialect's tests. */
export const headingOf = (dialect: Dialect): string => `the dialect of ${titleOf(dialect)} (${dialect.provenance})`;

/** The name of the test that reads a case in one form. */
export const resultOf = (name: CaseName, form: Form): string => `${name}, ${form}`;

export function isApplicable<T extends object>(entry: T | NotApplicable): entry is T {
  return !("why" in entry);
}
