import { z } from "zod";
import { jsonRecord } from "../kit/json-values.ts";
import { flag, integer, number, text } from "../openai-shape/body.ts";
import { closedObject as object } from "../openai-shape/parts.ts";
import { effort } from "../openai-shape/reasoning.ts";
import { inputSchema } from "./items.ts";
import { toolChoiceSchema } from "./tool-choice.ts";
import { toolsSchema } from "./tools.ts";

const format = z
  .discriminatedUnion("type", [
    object({ type: z.literal("text") }),
    object({ type: z.literal("json_object") }),
    object({
      type: z.literal("json_schema"),
      name: z.string(),
      description: text,
      schema: jsonRecord,
      strict: flag,
    }),
  ])
  .nullish();

const stateless = "is not supported, because Dragoman stores no responses; send the whole conversation in input";

/** Fields of OpenAI's that need stored objects or run without the client. Null means absent. */
export const rejectedFields = {
  previous_response_id: z.null(stateless).optional(),
  conversation: z.null(stateless).optional(),
  prompt: z.null("is not supported, because Dragoman stores no prompts; send instructions and input").optional(),
  background: z.literal(false, "is not supported; omit it, and set stream for a long response").nullish(),
};

const includable = [
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
] as const;

/** Fields that the model's provider receives under the same name, if its API has them. */
export const providerFields = {
  max_tool_calls: integer,
  moderation: jsonRecord.nullish(),
  prompt_cache_options: object({ mode: text, ttl: text, prewarm: flag, comparison_response_id: text }).nullish(),
  prompt_cache_retention: text,
};

/** Body of a request for a response. https://platform.openai.com/docs/api-reference/responses/create */
export const body = z.looseObject({
  ...rejectedFields,
  ...providerFields,
  model: z.string().min(1, "must not be empty"),
  input: inputSchema,
  include: z.array(z.enum(includable)).nullish(),
  instructions: text,
  max_output_tokens: integer,
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  parallel_tool_calls: flag,
  prompt_cache_key: text,
  reasoning: z
    .looseObject({
      effort,
      summary: z.enum(["auto", "concise", "detailed", "none"]).nullish(),
      generate_summary: z.enum(["auto", "concise", "detailed", "none"]).nullish(),
    })
    .nullish(),
  safety_identifier: text,
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]).nullish(),
  store: flag,
  stream: flag,
  stream_options: object({ include_obfuscation: flag }).nullish(),
  temperature: number,
  text: object({ format, verbosity: z.enum(["low", "medium", "high"]).nullish() }).nullish(),
  tool_choice: toolChoiceSchema,
  tools: toolsSchema,
  top_logprobs: integer,
  top_p: number,
  truncation: z.enum(["auto", "disabled"]).nullish(),
  user: text,
});

export type ResponsesBody = z.output<typeof body>;
