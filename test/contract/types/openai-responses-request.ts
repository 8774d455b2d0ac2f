// Compile-time check: request bodies of the Responses API must match the types of the vendor's SDK (openai 7.55.0).
import type OpenAI from "openai";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";
import type {
  FunctionCall,
  FunctionTool,
  InputMessage,
  OutputMessage,
  OutputText,
  ReasoningBody,
  Refusal,
  ResponsesBody,
  TextFormat,
  ToolOutput,
  UrlAnnotation,
  WireToolChoice,
} from "../../../src/providers/openai-responses/wire.ts";
import type { Assignable, Mutable } from "./assignable.ts";

type Vendor = OpenAI.Responses.ResponseCreateParamsStreaming;
type Item = OpenAI.Responses.ResponseInputItem;
type Tool = Extract<OpenAI.Responses.Tool, { type: "function" }>;

/** Every field that the adapter sends is a field of the SDK's request type. */
export const names: Assignable<keyof ResponsesBody, keyof Vendor> = true;

// Omits `service_tier`, because the adapter sends the caller's text unchanged, and the fields of the types below.
type Checked = Omit<ResponsesBody, "service_tier" | "input" | "tools" | "tool_choice" | "text" | "stream">;

export const values: Assignable<Mutable<Checked>, Partial<Vendor>> = true;
export const reasoning: Assignable<Mutable<ReasoningBody>, OpenAI.Reasoning> = true;

export const messages: Assignable<Mutable<InputMessage>, Item> = true;
export const calls: Assignable<Mutable<FunctionCall>, Item> = true;
export const outputs: Assignable<Mutable<ToolOutput>, Item> = true;

// The SDK declares `id` and `status` of the model's messages, which OpenAI does not require.
type Said = Omit<OpenAI.Responses.ResponseOutputMessage, "id" | "status">;
type Text = Omit<OutputText, "annotations"> & { readonly annotations: readonly UrlAnnotation[] };
type Answer = Omit<OutputMessage, "content"> & { readonly content: readonly (Text | Refusal)[] };
export const answers: Assignable<Mutable<Answer>, Said> = true;

// Omits schemas, and tools that OpenAI defines: the adapter sends the caller's JSON text.
export const tools: Assignable<Mutable<Omit<FunctionTool, "parameters">>, Omit<Tool, "parameters">> = true;

type Own = Exclude<WireToolChoice, { readonly type: "allowed_tools" }>;
export const choices: Assignable<Mutable<Own>, Vendor["tool_choice"]> = true;
type Allowed = Extract<WireToolChoice, { readonly type: "allowed_tools" }>;
type Listed = Exclude<Allowed["tools"][number], ExactJson>;
export const allowed: Assignable<
  Mutable<Omit<Allowed, "tools">> & { tools: Mutable<Listed & Record<string, unknown>>[] },
  OpenAI.Responses.ToolChoiceAllowed
> = true;

type SchemaFormat = Extract<TextFormat, { readonly type: "json_schema" }>;
type VendorFormat = OpenAI.Responses.ResponseFormatTextJSONSchemaConfig;
export const schemas: Assignable<Mutable<Omit<SchemaFormat, "schema">>, Omit<VendorFormat, "schema">> = true;
export const formats: Assignable<
  Mutable<Exclude<TextFormat, SchemaFormat>>,
  OpenAI.Responses.ResponseFormatTextConfig
> = true;
