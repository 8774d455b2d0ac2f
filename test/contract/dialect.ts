import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Reason } from "../../src/errors.ts";
import type { ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletionSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import type { Content } from "./content.ts";
import type { UsageCases } from "./usage.ts";

export type Init<Schema extends typeof ChatRequestSchema | typeof ChatCompletionSchema> = Exclude<
  MessageInitShape<Schema>,
  { $typeName: string }
>;

/** The response cases that every adapter must read if its provider API has them. */
export const cases = [
  "plain text",
  "empty text",
  "two parallel tool calls with interleaved deltas",
  "a tool call without arguments",
  "two tool calls with one id",
  "an empty object before the arguments",
  "halves of a character in two deltas",
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
  "a missing finish reason",
  "tool calls reported without a call",
  "a normal end after a tool call",
  "pings and comments",
  "citations",
  "sources without a position",
  "media in the response",
  "a tool that the provider runs",
  "facts without a field",
] as const;
export type CaseName = (typeof cases)[number];

/** The reason why a provider API does not have a case or a form. */
export interface NotApplicable {
  readonly why: string;
}

/** The bytes of a streamed response, and of the same response in whole form. */
export interface Wire {
  /** The body of the streamed response, as the provider sends it. */
  readonly wire: string | Uint8Array;
  /** The body of the whole response, or why there is none. Default: `WholeForm.toBody(wire)`. */
  readonly whole?: string | NotApplicable;
}

/** Makes whole responses, each one JSON text, from streamed ones. `Adapter.complete` requests whole responses. */
export interface WholeForm {
  /** Source of the whole and the streamed shape: types of an SDK with its version. */
  readonly provenance: string;
  /** Returns the whole body with the content of a streamed one. Undefined if an event is not JSON. */
  toBody(wire: string): string | undefined;
}

/** A provider response and the completion that Dragoman must make of it. */
export interface AnswerCase extends Wire {
  /** Fields of the request in addition to one user message, such as `parameters: { logprobs: true }`. */
  readonly request?: Init<typeof ChatRequestSchema>;
  /**
   * The completion that the folded events must equal, as an init object of ChatCompletion. Choices must be complete.
   * Set usage only if the case is about it: completely, or to undefined if there must be none. Set warnings only if the
   * case is about them: only their reasons are compared.
   */
  readonly completion: Init<typeof ChatCompletionSchema>;
}

/** An error response before any output. */
export interface ErrorCase {
  /** Names the row of the provider's error table. */
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The response body. Objects are serialized as JSON. */
  readonly body: string | Readonly<Record<string, unknown>>;
  readonly reason: Reason;
  /** The expected code of ProviderError. Default: not compared. */
  readonly code?: string;
  /** The expected RetryInfo delay in ms. Unset: there must be no RetryInfo. */
  readonly retryAfterMs?: number;
}

/** A response that starts with output and then fails. */
export interface FailureCase extends Wire {
  readonly name: string;
  readonly reason: Reason;
}

/**
 * A conversation of two requests. The first response contains what the provider requires in the second request:
 * reasoning, signatures, tool calls. The adapter must send them back unchanged.
 */
export interface ReplayCase extends Wire {
  /** Results of the tool calls, by tool name. */
  readonly results?: Readonly<Record<string, string>>;
  /** The field of the second request body that contains the conversation, such as `messages` or `contents`. */
  readonly field: string;
  readonly sent: unknown;
}

/** Tool call, tool result or text in a request body, in the order of the body. */
export interface SentItem {
  readonly kind: "call" | "result" | "text";
  /** Id that links a call to its results. Undefined: the API pairs them by their order. */
  readonly id?: string | undefined;
  /** Text of a text or result. Of a call, its arguments: JSON text, or the text itself if the API takes any. */
  readonly text: string;
}

/** What a provider API requires of a conversation with tools and texts. */
export interface ConversationRules {
  /** Reads a request body. */
  readonly read: (body: object) => readonly SentItem[];
  /** Ids that the API accepts. */
  readonly callId: RegExp;
  /** Whether ids must be unique in the conversation. If not, the model's own ids stay as they are. */
  readonly uniqueIds: boolean;
  /** Arguments that the API accepts: any text, or only an object. */
  readonly callArguments: "text" | "object";
  /** Texts that the API rejects. */
  readonly rejectedText: RegExp | undefined;
}

/** Stop sequences that a provider API accepts. Dragoman ends the response itself at the others. */
export interface StopFacts {
  /** Field of the request body that contains them, such as `generationConfig.stopSequences`. */
  readonly field: string;
  /** Maximum number. Undefined: the contract's, 16. */
  readonly max?: number;
  /** Maximum length of one in bytes. Undefined: the contract's. */
  readonly maxBytes?: number;
  /** Whether the API rejects one of white space only. */
  readonly rejectsBlank?: boolean;
}

/** The contract cases of one provider API. Fixtures follow the provider's published types and documents. */
export interface Dialect {
  /** The provider's name in the registry. */
  readonly name: string;
  /** Distinguishes several APIs of one provider, such as `v1`. */
  readonly variant?: string;
  /** Sources of the fixtures: documents, and SDK types with their versions. */
  readonly provenance: string;
  /** The model of every request. */
  readonly model: Model;
  /** Creates the adapter for an upstream at `baseUrl`, with long timeouts. */
  create(baseUrl: string): Adapter;
  /** Headers of a streamed response. Default: `content-type: text/event-stream`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<CaseName, AnswerCase | NotApplicable>>;
  /** How the API reports usage, for the laws of usage.ts. */
  readonly usage: UsageCases;
  /** Makes the whole responses, or gives the reason why the adapter has no `complete`. */
  readonly whole: WholeForm | NotApplicable;
  /** Name of the code that reads the bytes. Splits into reads are tested once per reader. */
  readonly reader: string;
  /** Every row of the provider's error table. */
  readonly errors: readonly ErrorCase[];
  readonly failures: readonly FailureCase[];
  readonly replay: ReplayCase;
  /** Content that only some provider APIs have. */
  readonly content: Content;
  readonly conversation: ConversationRules | NotApplicable;
  readonly stops: StopFacts | NotApplicable;
  /** A request with every supported field, and the exact JSON body that `describe` must return for it. */
  readonly everything: { readonly request: ChatRequest; readonly sent: unknown };
  /** Requests that the provider API supports only in part, and the expected adaptations: kind and field. */
  readonly limited: readonly {
    readonly name: string;
    readonly request: ChatRequest;
    readonly adaptations: readonly { readonly kind: string; readonly field: string }[];
  }[];
}

/** The two forms of a response: a stream for `Adapter.stream`, and one JSON text for `Adapter.complete`. */
export const forms = ["streamed", "whole"] as const;
export type Form = (typeof forms)[number];

/** Returns the response forms of a provider API. */
export const formsOf = ({ whole }: Dialect): readonly Form[] => (isApplicable(whole) ? forms : ["streamed"]);

/** Cases that whole responses cannot have. */
const onlyStreamed: Partial<Record<CaseName, NotApplicable>> = {
  "pings and comments": { why: "a whole response is one JSON text without events" },
};

/** Returns the bytes of a case in one form, or why it has none. */
export function wireOf(dialect: Dialect, form: Form, name: CaseName): string | Uint8Array | NotApplicable {
  const entry = dialect.answers[name];
  if (!isApplicable(entry)) return entry;
  return (form === "whole" && onlyStreamed[name]) || bytesOf(dialect, form, entry);
}

/** Returns the bytes of a response in one form, or why it has none. */
export function bytesOf({ whole }: Dialect, form: Form, { wire, ...own }: Wire): string | Uint8Array | NotApplicable {
  if (form === "streamed") return wire;
  if (!isApplicable(whole)) return whole;
  return own.whole ?? whole.toBody(Buffer.from(wire).toString()) ?? notJson;
}

/** Why `WholeForm.toBody` returned no body. Response cases must not have this reason. */
export const notJson: NotApplicable = { why: "the streamed response contains an event that is not JSON" };

export function isBytes(wire: string | Uint8Array | NotApplicable): wire is string | Uint8Array {
  return typeof wire === "string" || wire instanceof Uint8Array;
}

/** Returns the name of a provider API with its variant. */
export const titleOf = ({ name, variant }: Dialect): string => (variant === undefined ? name : `${name} ${variant}`);

/** Returns the `describe` title of the tests of a provider API. */
export const headingOf = (dialect: Dialect): string => `the ${titleOf(dialect)} API (${dialect.provenance})`;

/** Returns the name of the test that reads a case in one form. */
export const resultOf = (name: CaseName, form: Form): string => `reads ${name}, ${form}`;

export function isApplicable<T extends object>(entry: T | NotApplicable): entry is T {
  return !("why" in entry);
}

/**
 * Returns the turns of an upstream body, without the system prompt. In OpenAI's Responses API, a turn of the model is a
 * list of items.
 */
export function turnsOf(body: Readonly<Record<string, unknown>>, field: string): readonly unknown[] {
  const entries = body[field];
  const turns: readonly Readonly<Record<string, unknown>>[] = Array.isArray(entries) ? entries : [];
  const others = turns.filter(({ role }) => role !== "system");
  if (field !== "input") return others;
  const isCallers = ({ type, role }: Readonly<Record<string, unknown>>) =>
    role === "user" || /_output$|_response$/.test(String(type ?? ""));
  return others.reduce<unknown[]>((found, item) => {
    const last = found.at(-1);
    if (isCallers(item)) found.push(item);
    else if (Array.isArray(last)) last.push(item);
    else found.push([item]);
    return found;
  }, []);
}
