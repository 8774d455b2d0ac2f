import { z } from "zod";
import type { ExactJson } from "../kit/exact-json.ts";
import { isAbsent, isNumber, isText, plainList } from "../kit/plain-list.ts";

// Responses: only the fields that Dragoman reads. Items are read by items.ts, with their exact text.
// Source: the types of openai 7.55.0 (resources/responses/responses.d.ts).

const text = z.string().nullish();
const index = z.number().int().nonnegative().nullish();

interface Token {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | null;
  readonly top_logprobs?: readonly Omit<Token, "top_logprobs">[] | null;
}

function isPlainToken(value: unknown): value is Omit<Token, "top_logprobs"> {
  if (typeof value !== "object" || value === null) return false;
  const { token, logprob, bytes }: Partial<Record<keyof Token, unknown>> = value;
  return isText(token) && isNumber(logprob) && (isAbsent(bytes) || (Array.isArray(bytes) && bytes.every(isNumber)));
}

function isToken(value: unknown): value is Token {
  if (!isPlainToken(value)) return false;
  const { top_logprobs: top }: Partial<Record<keyof Token, unknown>> = value;
  return isAbsent(top) || (Array.isArray(top) && top.every(isPlainToken));
}

const logprobs = plainList(isToken).nullish();

/** Event of a stream. Its items and its response are read apart. */
export const eventSchema = z.object({
  type: text,
  object: text,
  output_index: index,
  content_index: index,
  summary_index: index,
  /** Some deltas of tools are objects. */
  delta: z.union([z.string(), z.looseObject({})]).nullish(),
  logprobs,
  error: z.unknown().optional(),
  output: z.unknown().optional(),
  message: z.unknown().optional(),
  detail: z.unknown().optional(),
});

export type StreamEvent = z.infer<typeof eventSchema>;

/** Members of items of any type. */
export const itemSchema = z.object({
  type: z.string(),
  id: text,
  call_id: text,
  name: text,
  /** Text of functions and MCP servers, an object of other tools. */
  arguments: z.unknown().optional(),
  role: text,
  status: text,
  result: text,
  output_format: text,
  summary: z.array(z.object({ text })).nullish(),
  content: z
    .array(z.object({ type: z.string(), text, refusal: text, logprobs, annotations: z.array(z.unknown()).nullish() }))
    .nullish(),
});

export type Item = z.infer<typeof itemSchema>;
export type ItemContent = NonNullable<Item["content"]>[number];

/** A response: whole, or in an event. The usage is read by usage.ts. */
export const responseSchema = z.object({
  id: text,
  status: text,
  service_tier: z.string().nullish().catch(undefined),
  incomplete_details: z.object({ reason: text }).nullish().catch(undefined),
  error: z.unknown().optional(),
  usage: z.unknown().optional(),
  tool_usage: z
    .object({ web_search: z.object({ num_requests: z.number() }).optional().catch(undefined) })
    .nullish()
    .catch(undefined),
});

// Requests.

export interface InputText {
  readonly type: "input_text";
  readonly text: string;
}

export interface InputImage {
  readonly type: "input_image";
  readonly detail: "auto" | "low" | "high";
  readonly image_url?: string;
  readonly file_id?: string;
}

export interface InputFile {
  readonly type: "input_file";
  readonly file_data?: string;
  readonly file_url?: string;
  readonly file_id?: string;
  readonly filename?: string;
}

export type InputContent = InputText | InputImage | InputFile;

export interface InputMessage {
  readonly role: "user" | "system" | "developer";
  readonly content: string | readonly InputContent[];
}

/** ExactJson: an annotation as the API sent it. */
export interface OutputText {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly (ExactJson | UrlAnnotation)[];
}

export interface UrlAnnotation {
  readonly type: "url_citation";
  readonly url: string;
  readonly title: string;
  readonly start_index: number;
  readonly end_index: number;
}

export interface Refusal {
  readonly type: "refusal";
  readonly refusal: string;
}

export interface OutputMessage {
  readonly type: "message";
  readonly role: "assistant";
  readonly content: readonly (OutputText | Refusal)[];
  readonly phase?: "commentary" | "final_answer";
}

export interface FunctionCall {
  readonly type: "function_call";
  readonly call_id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface FunctionOutput {
  readonly type: "function_call_output" | "custom_tool_call_output";
  readonly call_id: string;
  readonly output: string | readonly InputContent[];
}

/** Output of a tool in a format of OpenAI's that the caller runs. */
export type ToolOutput =
  | FunctionOutput
  | { readonly type: "local_shell_call_output"; readonly id: string; readonly output: string }
  | { readonly type: "shell_call_output"; readonly call_id: string; readonly output: readonly ShellOutput[] }
  | {
      readonly type: "apply_patch_call_output";
      readonly call_id: string;
      readonly status: "completed" | "failed";
      readonly output: string;
    }
  | {
      readonly type: "computer_call_output";
      readonly call_id: string;
      readonly output: { readonly type: "computer_screenshot"; readonly image_url?: string; readonly file_id?: string };
    }
  | { readonly type: "mcp_approval_response"; readonly approval_request_id: string; readonly approve: boolean };

export interface ShellOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly outcome: { readonly type: "exit"; readonly exit_code: number } | { readonly type: "timeout" };
}

/** ExactJson: an item as the API sent it. */
export type InputItem = InputMessage | OutputMessage | FunctionCall | ToolOutput | ExactJson;

export interface FunctionTool {
  readonly type: "function";
  readonly name: string;
  readonly description?: string;
  readonly parameters: ExactJson;
  readonly strict: boolean;
}

interface NamedTool {
  readonly type: "function";
  readonly name: string;
}

export type WireToolChoice =
  | "auto"
  | "none"
  | "required"
  | NamedTool
  | {
      readonly type: "allowed_tools";
      readonly mode: "auto" | "required";
      /** ExactJson: a tool that OpenAI defines. */
      readonly tools: readonly (NamedTool | ExactJson)[];
    };

export type TextFormat =
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      readonly name: string;
      readonly description?: string;
      readonly schema: ExactJson;
      readonly strict?: boolean;
    };

export interface ReasoningBody {
  readonly effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
  readonly summary?: "auto";
}

export interface ResponsesBody {
  readonly model: string;
  readonly input: readonly InputItem[];
  readonly stream: boolean;
  readonly stream_options?: { readonly include_obfuscation: false };
  readonly store: false;
  readonly include?: readonly ("reasoning.encrypted_content" | "message.output_text.logprobs")[];
  readonly max_output_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_logprobs?: number;
  readonly reasoning?: ReasoningBody;
  readonly text?: { readonly format: TextFormat };
  /** ExactJson: a tool that OpenAI defines. */
  readonly tools?: readonly (FunctionTool | ExactJson)[];
  readonly tool_choice?: WireToolChoice;
  readonly parallel_tool_calls?: boolean;
  readonly prompt_cache_key?: string;
  readonly safety_identifier?: string;
  readonly service_tier?: string;
}
