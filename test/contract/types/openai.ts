// Compile-time check: request bodies must match the types of the vendor's SDK (openai 7.55.0).
import type OpenAI from "openai";
import type { optionalFields } from "../../../src/providers/chat-completions/fields.ts";
import type { openAiFields } from "../../../src/providers/chat-completions/openai-quirks.ts";
import type {
  OpenAiPart,
  WireAssistant,
  WireMessage,
  WireTool,
  WireToolChoice,
} from "../../../src/providers/chat-completions/wire.ts";
import type { Assignable, Mutable } from "./assignable.ts";

type Vendor = OpenAI.ChatCompletionCreateParamsStreaming;
type Tool = Extract<WireMessage, { role: "tool" }>;
type AnyPlain = Exclude<WireMessage, Tool | WireAssistant>;
/** OpenAI's servers get only their own content parts (`Quirks.media`). */
type Plain = Omit<AnyPlain, "content"> & { readonly content: string | readonly OpenAiPart[] };

/** A message with only text. toMessages and messageAdaptations guarantee this for all messages except the user's. */
type OfText<Type extends { readonly content: unknown }> = Mutable<Omit<Type, "content">> & {
  content: Extract<Type["content"], string | null>;
};
type As<Role extends string, Type> = Omit<Type, "role"> & { role: Role };

export const system: Assignable<As<"system", OfText<Plain>>, OpenAI.ChatCompletionSystemMessageParam> = true;
export const developer: Assignable<As<"developer", OfText<Plain>>, OpenAI.ChatCompletionDeveloperMessageParam> = true;
export const user: Assignable<As<"user", Mutable<Plain>>, OpenAI.ChatCompletionUserMessageParam> = true;
export const assistant: Assignable<OfText<WireAssistant>, OpenAI.ChatCompletionAssistantMessageParam> = true;
export const tool: Assignable<OfText<Tool>, OpenAI.ChatCompletionToolMessageParam> = true;
export const toolCalls: Assignable<
  Mutable<NonNullable<WireAssistant["tool_calls"]>>,
  OpenAI.ChatCompletionMessageToolCall[]
> = true;

// Omits `parameters`: the adapter sends the caller's JSON text, which the SDK declares as an object with any keys.
export const tools: Assignable<
  Mutable<Omit<WireTool["function"], "parameters">>,
  Omit<OpenAI.FunctionDefinition, "parameters">
> = true;
export const toolChoice: Assignable<Mutable<WireToolChoice>, Vendor["tool_choice"]> = true;

/** Every field name that the adapter sends is a field of the SDK's request type. */
export const names: Assignable<(typeof openAiFields)[keyof typeof openAiFields], keyof Vendor> = true;

// Omits `service_tier`, because the adapter sends the caller's text unchanged, and `seed`, because the SDK has no type
// for integers above JavaScript's safe range.
type Checked = Exclude<keyof typeof openAiFields, "service_tier" | "parameters.seed">;

type Sent = { [Field in Checked as (typeof openAiFields)[Field]]: ReturnType<(typeof optionalFields)[Field]["value"]> };

/** Every value is assignable to the SDK's type of its field. */
export const values: Assignable<Mutable<Sent>, { [Name in keyof Sent]: Vendor[Name] | undefined }> = true;
