import { z } from "zod";
import { jsonRecord } from "../kit/json-values.ts";
import { present } from "../kit/parse-request.ts";
import {
  flag,
  functionTool,
  integer,
  markableTool,
  namedToolSchema,
  number,
  type OpenAiBody,
  predictionSchema,
  sharedFields,
  text,
} from "../openai-shape/body.ts";
import { toOpenAiError, toOpenAiStreamError } from "../openai-shape/errors.ts";
import { guideFields } from "../openai-shape/guided-output.ts";
import { outputFields } from "../openai-shape/modalities.ts";
import {
  allAudioFormats,
  allDetails,
  cacheMarks,
  contentOf,
  closedObject as object,
  partSchemas,
} from "../openai-shape/parts.ts";
import { effort, reasoningFields } from "../openai-shape/reasoning.ts";
import { toServiceTier } from "../openai-shape/service-tier.ts";
import { createOpenAiSurface } from "../openai-shape/surface.ts";
import { assistantMessage } from "./assistant-message.ts";
import { customChoice, customTool } from "./custom-tools.ts";
import { documentedFields } from "./documented-fields.ts";
import { readExtraFields } from "./extra-fields.ts";
import { responseFormat } from "./response-format.ts";

const part = partSchemas(object, cacheMarks(object), allAudioFormats, allDetails);
const { cache_control } = cacheMarks(object);
const textContent = contentOf(z.discriminatedUnion("type", [part.text]));
const userContent = contentOf(
  z.discriminatedUnion("type", [
    part.text,
    part.image_url,
    part.input_audio,
    part.file,
    part.video_url,
    part.audio_url,
  ]),
);
const functionRole = "function is not supported; write the role tool, with the tool_call_id of the call";

function hasRole(message: unknown, role: string): boolean {
  return typeof message === "object" && message !== null && "role" in message && message.role === role;
}

const message = z.discriminatedUnion(
  "role",
  [
    object({ role: z.literal("system"), content: textContent, name: text, cache_control }),
    object({ role: z.literal("developer"), content: textContent, name: text, cache_control }),
    object({ role: z.literal("user"), content: userContent, name: text, cache_control }),
    assistantMessage,
    object({ role: z.literal("tool"), content: textContent, tool_call_id: z.string(), name: text, cache_control }),
  ],
  { error: ({ input }) => (hasRole(input, "function") ? functionRole : undefined) },
);

/** Fields that change the content of a response in ways that Dragoman does not support. */
const unsupported = {
  functions: z.null("is not supported; use tools").optional(),
  function_call: z.null("is not supported; use tool_choice").optional(),
};

/** Fields of other APIs in the shape of OpenAI's that ChatRequest has fields for. */
const translated = {
  ...reasoningFields(object),
  ...guideFields,
  chat_template_kwargs: jsonRecord.nullish(),
  continue_final_message: flag,
  min_completion_tokens: integer,
  min_p: number,
  min_tokens: integer,
  repetition_penalty: number,
  top_k: integer,
};

const named = z.discriminatedUnion("type", [namedToolSchema(object), customChoice]);
const allowedTools = object({
  type: z.literal("allowed_tools"),
  allowed_tools: object({ mode: z.enum(["auto", "required"]), tools: z.array(named) }),
});

/** The message of a union: which of its forms the caller meant is unknown. */
const toolChoiceProblem = "must be none, auto, required, or an object of the type function, custom or allowed_tools";
const toolChoice = z.union(
  [
    z.enum(["none", "auto", "required"]),
    z.discriminatedUnion("type", [namedToolSchema(object), customChoice, allowedTools]),
  ],
  toolChoiceProblem,
);

const body = object({
  ...sharedFields,
  ...unsupported,
  ...documentedFields,
  ...translated,
  ...outputFields(object),
  messages: z.array(message),
  prediction: predictionSchema(object, cacheMarks(object)),
  reasoning_effort: effort,
  response_format: responseFormat,
  safety_identifier: text,
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast"]).nullish(),
  // Dragoman accepts `include_obfuscation`, but never pads chunks.
  // `continuous_usage_stats` is vLLM's.
  stream_options: object({
    include_usage: flag,
    include_obfuscation: flag,
    continuous_usage_stats: flag,
  }).nullish(),
  tool_choice: toolChoice.nullish(),
  tools: z
    .array(z.discriminatedUnion("type", [functionTool(object, markableTool(object), markableTool(object)), customTool]))
    .nullish(),
}).catchall(z.unknown()) satisfies z.ZodType<OpenAiBody>;

/** OpenAI's Chat Completions, for every model of the catalog. https://platform.openai.com/docs/api-reference/chat */
export const openaiSurface = createOpenAiSurface<z.output<typeof body>>({
  name: "openai",
  path: "/v1/chat/completions",
  profile: undefined,
  body,
  namespace: undefined,
  requestOptions: {
    minusOneIsMost: false,
    usageByDefault: false,
    emptyMessages: true,
    providers: ["openai", "azure-openai"],
  },
  responseOptions: {
    reasoning: "reasoning_content",
    refusals: true,
    nulls: true,
    noFingerprint: undefined,
    firstContent: "",
    typedFragments: false,
    usageApart: true,
    times: false,
    modelPrefix: "",
    annotations: true,
    media: true,
  },
  names: { maxOutputTokens: "max_completion_tokens" },
  extraOptions({ safety_identifier, user }) {
    // If both are set, ChatRequest.user gets `safety_identifier`, which replaces `user` at OpenAI. If they differ,
    // OpenAI also receives `user`, as a provider option.
    return safety_identifier && user && safety_identifier !== user ? { user } : {};
  },
  extraFields: (request, { rejectsOptions = false }) => readExtraFields(request, body, rejectsOptions),
  tierFields: (_request, used) => present({ service_tier: toServiceTier(used) }),
  echoFields: ({ metadata }) => (metadata ? { metadata } : {}),
  toError: toOpenAiError,
  toStreamError: toOpenAiStreamError,
});
