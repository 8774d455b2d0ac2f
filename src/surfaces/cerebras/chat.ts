import { z } from "zod";
import { jsonRecord } from "../kit/json-values.ts";
import {
  flag,
  formatSchemas,
  integer,
  type OpenAiBody,
  predictionSchema,
  sharedFields,
  text,
  toolChoiceSchema,
  toolsSchema,
} from "../openai-shape/body.ts";
import { toolCallsSchema } from "../openai-shape/messages.ts";
import { contentOf, closedObject as object, partSchemas } from "../openai-shape/parts.ts";
import { createOpenAiSurface } from "../openai-shape/surface.ts";
import { toError, toStreamError } from "./errors.ts";
import { cerebrasNamespace } from "./namespace.ts";

// Sources: Cerebras' API reference and the types of @cerebras/cerebras_cloud_sdk 1.91.0. Where they differ, the API
// reference applies.

const part = partSchemas(object, {});
const content = contentOf(z.discriminatedUnion("type", [part.text, part.image_url, part.image]));
const textContent = contentOf(z.discriminatedUnion("type", [part.text]));

const message = z.discriminatedUnion("role", [
  object({ role: z.literal("system"), content, name: text }),
  object({ role: z.literal("developer"), content, name: text }),
  object({ role: z.literal("user"), content, name: text }),
  object({
    role: z.literal("assistant"),
    content: textContent.nullish(),
    name: text,
    reasoning: textContent.nullish(),
    tool_calls: toolCallsSchema(object, { index: integer }),
  }),
  object({ role: z.literal("tool"), content: textContent, tool_call_id: z.string(), name: text }),
]);

const body = object({
  ...sharedFields,
  messages: z.array(message),
  clear_thinking: flag,
  disable_reasoning: flag,
  min_completion_tokens: integer,
  min_tokens: integer,
  model_parameters: jsonRecord.nullish(),
  prediction: predictionSchema(object),
  reasoning_effort: z.enum(["none", "low", "medium", "high"]).nullish(),
  reasoning_format: z.enum(["none", "parsed", "text_parsed", "raw", "hidden"]).nullish(),
  response_format: z.discriminatedUnion("type", formatSchemas(object)).nullish(),
  service_tier: z.enum(["auto", "default", "flex", "priority"]).nullish(),
  stream_options: object({ include_usage: flag }).nullish(),
  tool_choice: toolChoiceSchema(object),
  tools: toolsSchema(object, {}),
}) satisfies z.ZodType<OpenAiBody>;

/** Cerebras' chat completions API. */
export const cerebrasSurface = createOpenAiSurface<z.output<typeof body>>({
  name: "cerebras",
  path: "/cerebras/v1/chat/completions",
  profile: "cerebras",
  body,
  namespace: cerebrasNamespace,
  // Streams have the usage without `include_usage`: README of @cerebras/cerebras_cloud_sdk 1.91.0.
  requestOptions: { minusOneIsMost: true, usageByDefault: true, providers: ["cerebras"] },
  responseOptions: {
    reasoning: "reasoning",
    refusals: false,
    nulls: false,
    noFingerprint: "",
    firstContent: null,
    typedFragments: true,
    usageApart: false,
    times: true,
    modelPrefix: "cerebras/",
  },
  names: { maxOutputTokens: "max_completion_tokens", providerOptions: "queue_threshold" },
  extraOptions(_request, { headers }) {
    // The Cerebras adapter validates the range and the tier, since gRPC requests may set this option too.
    const threshold = headers.get("queue_threshold")?.trim() ?? "";
    return threshold === "" ? {} : { queue_threshold: /^\d+$/.test(threshold) ? Number(threshold) : threshold };
  },
  tierFields({ service_tier }, used) {
    const tier = service_tier ?? used;
    return {
      ...(tier && { service_tier: tier }),
      ...(service_tier === "auto" && { service_tier_used: used || "default" }),
    };
  },
  echoFields: () => ({}),
  toError,
  toStreamError,
});
