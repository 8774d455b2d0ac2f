import { z } from "zod";
import { jsonRecord } from "../kit/json-values.ts";
import { assistantContent, cacheControl, systemContent, userContent } from "./blocks.ts";

// Objects are loose: the API gets new fields often, and clients send them. `Unread` names those that are left out.

const flag = z.boolean().nullish();
const text = z.string().nullish();
/** Integers of ChatRequest have 32 bits. Its validation checks narrower ranges. */
const integer = z.int32({
  error: ({ input }) => (input === undefined ? undefined : "must be an integer from -2147483648 to 2147483647"),
});
const anything = z.unknown().optional();

const functionTool = z.looseObject({
  type: z.literal("custom").nullish(),
  name: z.string(),
  description: text,
  input_schema: jsonRecord,
  strict: flag,
  cache_control: cacheControl,
});

/** Tool that Anthropic defines, such as `web_search_20250305`. */
const anthropicTool = z.looseObject({
  type: z.string().refine((type) => type !== "custom", {
    error: "must be custom, or the type of a tool of Anthropic",
    abort: true,
  }),
  name: text,
  cache_control: cacheControl,
});

const toolProblem = "must be a tool with name and input_schema, or one with a type of Anthropic";

const toolChoice = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("auto"), disable_parallel_tool_use: flag }),
  z.looseObject({ type: z.literal("any"), disable_parallel_tool_use: flag }),
  z.looseObject({ type: z.literal("tool"), name: z.string(), disable_parallel_tool_use: flag }),
  z.looseObject({ type: z.literal("none") }),
]);

const display = z.enum(["summarized", "omitted"]).nullish();

const thinking = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("enabled"), budget_tokens: integer.nullish(), display }),
  // Claude Code sends a budget of 0 with it.
  z.looseObject({ type: z.literal("adaptive"), budget_tokens: z.literal(0).nullish(), display }),
  z.looseObject({ type: z.literal("disabled") }),
  z.looseObject({ type: z.literal("between_tools") }),
]);

const format = z.looseObject({ type: z.literal("json_schema"), schema: jsonRecord });

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal("user"), content: userContent }),
  z.looseObject({ role: z.literal("assistant"), content: assistantContent }),
  z.looseObject({ role: z.literal("system"), content: systemContent }),
]);

/** Fields that Dragoman cannot honor. */
const refused = {
  thread: z.null("is not supported, since Dragoman stores no conversations; send all messages").optional(),
  fallbacks: z.null("is not supported; the operator configures fallbacks as a route").optional(),
};

/**
 * Fields that ChatRequest lacks. Providers with Anthropic's API get them unchanged; for others they are dropped, with a
 * warning. Source: the types of @anthropic-ai/sdk 1.11.0.
 */
const passedOn = {
  billing_policy: anything,
  cache_control: anything,
  compaction: anything,
  container: anything,
  context_management: anything,
  diagnostics: anything,
  fallback_credit_token: anything,
  inference_geo: anything,
  mcp_servers: anything,
  speed: anything,
  user_profile_id: anything,
  workspace_id: anything,
};

/** Fields of the body that become fields of ChatRequest. */
const translated = {
  model: z.string().min(1, "must not be empty"),
  messages: z.array(message),
  max_tokens: integer.nullish(),
  system: systemContent.nullish(),
  stream: flag,
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: integer.nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  tools: z.array(z.union([functionTool, anthropicTool], toolProblem)).nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: thinking.nullish(),
  output_config: z
    .looseObject({ effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(), format: format.nullish() })
    .nullish(),
  output_format: format.nullish(),
  metadata: z.looseObject({ user_id: text }).nullish(),
  service_tier: text,
};

/** Body of `/v1/messages/count_tokens`. */
export const countedBody = z.looseObject({ ...translated, ...refused, ...passedOn });

/** Body of `/v1/messages`. */
export const messagesBody = countedBody.extend({ max_tokens: integer });

export type MessagesBody = z.output<typeof countedBody>;
export type BodyTool = NonNullable<MessagesBody["tools"]>[number];
export type BodyFunction = z.output<typeof functionTool>;
export type BodyMessage = MessagesBody["messages"][number];

/** Names of the fields that become fields of ChatRequest. */
export const translatedNames: ReadonlySet<string> = new Set(Object.keys(translated));

/** Names of what Dragoman reads of the objects of a body. */
export const readNames = {
  tool: new Set(Object.keys(functionTool.shape)),
  message: new Set(["role", "content"]),
  format: new Set(Object.keys(format.shape)),
  metadata: new Set(["user_id"]),
  thinking: new Set(["type", "budget_tokens", "display"]),
  toolChoice: new Set(["type", "name", "disable_parallel_tool_use"]),
} as const satisfies Record<string, ReadonlySet<string>>;
