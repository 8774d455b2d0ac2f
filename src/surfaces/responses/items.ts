import { z } from "zod";
import { jsonRecord } from "../kit/json-values.ts";
import { text } from "../openai-shape/body.ts";
import { inputContent, outputContent, toolOutput } from "./content.ts";
import { type RejectedTypes, rejectTypes } from "./rejected-types.ts";

/** Fields of items that say nothing to a model. */
const ofItem = { id: text, status: text };
const ofCall = { ...ofItem, call_id: z.string() };

/** Items that Dragoman takes. Clients send the items of responses back, with fields of their own: see left-out.ts. */
const itemSchemas = {
  assistant: z.looseObject({
    ...ofItem,
    type: z.literal("message"),
    role: z.literal("assistant"),
    content: outputContent,
  }),
  input: z.looseObject({
    ...ofItem,
    type: z.literal("message"),
    role: z.enum(["user", "system", "developer"]),
    content: inputContent,
  }),
  reasoning: z.looseObject({
    ...ofItem,
    type: z.literal("reasoning"),
    summary: z.array(z.looseObject({ type: z.string(), text: z.string() })).nullish(),
    content: z.array(z.looseObject({ type: z.string(), text: z.string() })).nullish(),
    encrypted_content: text,
  }),
  function_call: z.looseObject({
    ...ofCall,
    type: z.literal("function_call"),
    name: z.string(),
    namespace: text,
    arguments: z.string(),
  }),
  custom_tool_call: z.looseObject({
    ...ofCall,
    type: z.literal("custom_tool_call"),
    name: z.string(),
    namespace: text,
    input: z.string(),
  }),
  // Tools in a format of OpenAI's that the client runs: an earlier model of OpenAI called them.
  local_shell_call: z.looseObject({
    ...ofItem,
    type: z.literal("local_shell_call"),
    call_id: text,
    action: jsonRecord,
  }),
  shell_call: z.looseObject({ ...ofCall, type: z.literal("shell_call"), action: jsonRecord }),
  apply_patch_call: z.looseObject({ ...ofCall, type: z.literal("apply_patch_call"), operation: jsonRecord }),
  computer_call: z.looseObject({
    ...ofCall,
    type: z.literal("computer_call"),
    action: jsonRecord.nullish(),
    actions: z.array(jsonRecord).nullish(),
  }),
  function_call_output: z.looseObject({ ...ofCall, type: z.literal("function_call_output"), output: toolOutput }),
  custom_tool_call_output: z.looseObject({ ...ofCall, type: z.literal("custom_tool_call_output"), output: toolOutput }),
  local_shell_call_output: z.looseObject({
    ...ofItem,
    type: z.literal("local_shell_call_output"),
    call_id: text,
    output: z.string(),
  }),
  shell_call_output: z.looseObject({ ...ofCall, type: z.literal("shell_call_output"), output: z.array(jsonRecord) }),
  apply_patch_call_output: z.looseObject({
    ...ofCall,
    type: z.literal("apply_patch_call_output"),
    output: text,
  }),
  computer_call_output: z.looseObject({
    ...ofCall,
    type: z.literal("computer_call_output"),
    output: z.looseObject({ type: z.string(), image_url: text, file_id: text }),
  }),
  image_generation_call: z.looseObject({
    ...ofItem,
    type: z.literal("image_generation_call"),
    result: text,
    output_format: z.enum(["png", "webp", "jpeg", "gif", "svg"]).nullish(),
  }),
};

/** Items of tools that OpenAI ran. Only OpenAI can read them, so they are state of this provider. */
const hostedTypes = [
  "web_search_call",
  "file_search_call",
  "code_interpreter_call",
  "mcp_list_tools",
  "mcp_call",
] as const;
const hosted = z.looseObject({ ...ofItem, type: z.enum(hostedTypes) });

/** Items that Dragoman rejects, with the reason. */
export const rejectedItems: RejectedTypes = {
  // With `store`, which is true by default, @ai-sdk/openai sends references instead of items.
  item_reference:
    "refers to a stored item, but Dragoman stores none; set store to false, so that the client sends items",
  compaction: "holds a conversation that only OpenAI can read; send the whole conversation in input instead",
  compaction_trigger: "asks to shorten the conversation, which Dragoman does not support; shorten input in the client",
  mcp_approval_request: "belongs to MCP servers that OpenAI calls, which Dragoman does not support; omit the item",
  mcp_approval_response: "belongs to MCP servers that OpenAI calls, which Dragoman does not support; omit the item",
  tool_search_call: "belongs to tool search, which Dragoman does not support; declare all functions in tools",
  tool_search_output: "belongs to tool search, which Dragoman does not support; declare all functions in tools",
  additional_tools: "is not supported; declare all functions in tools",
  configuration_update: "is not supported; set reasoning and text in the body",
  program: "belongs to programmatic tool calling, which Dragoman does not support; omit the item",
  program_output: "belongs to programmatic tool calling, which Dragoman does not support; omit the item",
};

const { assistant, input, ...byType } = itemSchemas;
const item = z.discriminatedUnion("type", [
  z.discriminatedUnion("role", [assistant, input]),
  ...Object.values(byType),
  hosted,
]);

/** OpenAI's clients omit the type of messages and of references. */
function withType(value: unknown): unknown {
  if (typeof value !== "object" || value === null || ("type" in value && value.type)) return value;
  return { ...value, type: "role" in value ? "message" : "item_reference" };
}

const anyItem = z.preprocess((value, context) => {
  const typed = withType(value);
  rejectTypes(typed, rejectedItems, context);
  return typed;
}, item);

/** Schema of `input`. */
export const inputSchema = z.union([z.string(), z.array(anyItem)], {
  error: ({ input: value }) => (value === undefined ? "is required" : "must be a string or a list of items"),
});

type Item<Name extends keyof typeof itemSchemas> = z.output<(typeof itemSchemas)[Name]>;
export type AssistantItem = Item<"assistant">;
export type InputItem = Item<"input">;
export type ReasoningInput = Item<"reasoning">;
export type CallItem =
  | Item<"function_call">
  | Item<"custom_tool_call">
  | Item<"local_shell_call">
  | Item<"shell_call">
  | Item<"apply_patch_call">
  | Item<"computer_call">;
export type OutputItem =
  | Item<"function_call_output">
  | Item<"custom_tool_call_output">
  | Item<"local_shell_call_output">
  | Item<"shell_call_output">
  | Item<"apply_patch_call_output">
  | Item<"computer_call_output">;
export type ImageInput = Item<"image_generation_call">;
export type HostedItem = z.output<typeof hosted>;
/** Item of an input, as the schema accepts it. */
export type BodyItem = AssistantItem | InputItem | ReasoningInput | CallItem | OutputItem | ImageInput | HostedItem;

/**
 * Returns the fields of an item that Dragoman reads, and those that say nothing to a model. Undefined: Dragoman sends the
 * whole item back to its provider.
 */
export function readFieldsOf(item: BodyItem): object | undefined {
  if (item.type === "message") return item.role === "assistant" ? assistant.shape : input.shape;
  const known: Readonly<Record<string, z.ZodObject>> = byType;
  return known[item.type]?.shape;
}
