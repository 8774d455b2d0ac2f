import { z } from "zod";
import type { ReasoningDetail } from "../../chat/stream/reasoning-details.ts";
import { isAbsent, isListOf, isNumber, isText, isTokenWith, plainList } from "../kit/plain-list.ts";
import type { CacheMark } from "./cache-marks.ts";

// Response schemas. They contain only the fields that Dragoman reads, and require none that a server may omit. A field
// with `catch(undefined)` counts as absent if it has an unexpected type.

interface TopToken {
  readonly token: string;
  readonly bytes?: readonly number[] | null | undefined;
  readonly logprob: number;
}

interface Token extends TopToken {
  readonly top_logprobs?: readonly TopToken[] | null | undefined;
}

function isTopToken(value: unknown): value is TopToken {
  if (!isTokenWith(value, "logprob")) return false;
  const bytes: unknown = Reflect.get(value, "bytes");
  return isAbsent(bytes) || isListOf(bytes, isNumber);
}

function isToken(value: unknown): value is Token {
  if (!isTopToken(value)) return false;
  const others: unknown = Reflect.get(value, "top_logprobs");
  return isAbsent(others) || isListOf(others, isTopToken);
}

const logProbs = z.object({
  content: plainList(isToken).nullish(),
  refusal: plainList(isToken).nullish(),
  reasoning_content: plainList(isToken).nullish(),
  // Sent by Together, in its older format.
  tokens: plainList(isText).nullish(),
  token_logprobs: plainList((value): value is number | null => value === null || isNumber(value)).nullish(),
});

const calledFunction = z
  .object({
    name: z.string().nullish(),
    // Always text: `parseChunk` has replaced other values.
    arguments: z.string().nullish(),
  })
  .nullish();

// Some servers send an index as text, or an id as a number.
const toolCall = z.object({
  index: z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
    .nullish()
    .catch(undefined),
  id: z.union([z.string(), z.number().transform(String)]).nullish(),
  function: calledFunction,
});

const message = z.object({
  // Entries without a text are metadata (`Extras`).
  content: z
    .union([z.string(), z.array(z.object({ text: z.string().nullish().catch(undefined) }).catch({}))])
    .nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish().catch(undefined),
  // Sent by OpenRouter.
  reasoning_details: z.array(z.record(z.string(), z.unknown())).nullish().catch(undefined),
  refusal: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
  // OpenAI's deprecated form of a single tool call.
  function_call: calledFunction.catch(undefined),
});

const seconds = z.number().nonnegative().nullish().catch(undefined);

/** Timings: those of Cerebras, and Groq's, which are in its usage. */
const timings = z.object({
  queue_time: seconds,
  prompt_time: seconds,
  completion_time: seconds,
  total_time: seconds,
});

const choice = z.object({
  index: z.number().int().nonnegative().nullish(),
  // A chunk has `delta`; a response without streaming has `message`.
  delta: message.nullish(),
  message: message.nullish(),
  finish_reason: z.string().nullish(),
  // Together sends a number for a chunk of one token.
  logprobs: z.union([logProbs, z.number()]).nullish().catch(undefined),
  // Sent by Cerebras.
  reasoning_logprobs: logProbs.nullish().catch(undefined),
  // Stop sequence that ended the output, at vLLM (stop_reason) and SGLang (matched_stop). A number is a token id.
  stop_reason: z.union([z.string(), z.number()]).nullish().catch(undefined),
  matched_stop: z.union([z.string(), z.number()]).nullish().catch(undefined),
  // Sent by OpenRouter.
  error: z.unknown().optional(),
  // Sent by Moonshot.
  usage: z.unknown().optional(),
});

/** Chunk of a stream, or a response without streaming. Only their choices differ: `delta` or `message`. */
export const chunkSchema = z.object({
  id: z.string().nullish().catch(undefined),
  choices: z.array(choice).nullish(),
  // Read by usage.ts.
  usage: z.unknown().optional(),
  // Sent by Groq.
  x_groq: z.object({ usage: z.unknown().optional() }).nullish().catch(undefined),
  // Sent by Cerebras.
  time_info: timings.nullish().catch(undefined),
  service_tier_used: z.string().nullish().catch(undefined),
  service_tier: z.string().nullish().catch(undefined),
  system_fingerprint: z.string().nullish().catch(undefined),
  error: z.unknown().optional(),
  object: z.string().nullish().catch(undefined),
  detail: z.unknown().optional(),
  message: z.unknown().optional(),
});

export { timings as timingsSchema, toolCall as toolCallSchema };

export type Chunk = z.infer<typeof chunkSchema>;
export type ChunkChoice = z.infer<typeof choice>;
export type ChunkMessage = z.infer<typeof message>;
export type ChunkToolCall = z.infer<typeof toolCall>;
export type ChunkTimings = z.infer<typeof timings>;
export type ChunkLogProbs = z.infer<typeof logProbs>;
export type { Token as ChunkTokenLogProb };

// Request types.

/** Content part that OpenAI has. */
export type OpenAiPart =
  | ({ readonly type: "text"; readonly text: string } & CacheMark)
  | {
      readonly type: "image_url";
      readonly image_url: { readonly url: string; readonly detail?: "auto" | "low" | "high" };
    }
  | { readonly type: "input_audio"; readonly input_audio: { readonly data: string; readonly format: "wav" | "mp3" } }
  | { readonly type: "file"; readonly file: { readonly file_data: string; readonly filename: string } }
  | { readonly type: "file"; readonly file: { readonly file_id: string } };

/** Content part: OpenAI's, or one that only other servers have. */
export type ContentPart =
  | OpenAiPart
  | { readonly type: "input_audio"; readonly input_audio: { readonly data: string; readonly format: string } }
  | { readonly type: "video_url"; readonly video_url: { readonly url: string } };

export interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface WireAssistant {
  readonly role: "assistant";
  readonly content: string | readonly ContentPart[] | null;
  readonly name?: string;
  readonly refusal?: string;
  readonly reasoning?: string;
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly ReasoningDetail[];
  readonly audio?: { readonly id: string };
  readonly images?: readonly ContentPart[];
  readonly annotations?: readonly object[];
  readonly tool_calls?: readonly WireToolCall[];
}

export type WireMessage =
  | {
      readonly role: "system" | "developer" | "user";
      readonly content: string | readonly ContentPart[];
      readonly name?: string;
    }
  | WireAssistant
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string | readonly ContentPart[] };

export interface WireTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: unknown;
    readonly strict?: boolean;
  };
}

/** Tool that the server runs itself. Its other fields depend on the type. */
export interface WireProviderTool {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface NamedTool {
  readonly type: "function";
  readonly function: { readonly name: string };
}

export type WireToolChoice =
  | "auto"
  | "none"
  | "required"
  | NamedTool
  | {
      readonly type: "allowed_tools";
      readonly allowed_tools: { readonly mode: "auto" | "required"; readonly tools: readonly NamedTool[] };
    };

/** Request body. The names of other fields depend on the server: see OptionalField. */
export interface ChatBody {
  readonly model: string;
  readonly messages: readonly WireMessage[];
  readonly stream: boolean;
  /** Undefined if `stream` is false. */
  readonly stream_options: Readonly<Record<string, unknown>> | undefined;
  readonly tools?: readonly (WireTool | WireProviderTool)[];
  readonly tool_choice?: WireToolChoice;
  readonly [field: string]: unknown;
}
