import { z } from "zod";
import { optionsAreOff } from "../../chat/planning/provider-options.ts";
import { invalidRequest } from "../../errors.ts";
import {
  allowedToolsSchema,
  flag,
  formatSchemas,
  type OpenAiBody,
  predictionSchema,
  sharedFields,
  text,
  toolChoiceSchema,
  toolsSchema,
} from "../openai-shape/body.ts";
import { toOpenAiError, toOpenAiStreamError } from "../openai-shape/errors.ts";
import { toolCallsSchema } from "../openai-shape/messages.ts";
import { cacheMarks, contentOf, closedObject as object, partSchemas } from "../openai-shape/parts.ts";
import { createOpenAiSurface } from "../openai-shape/surface.ts";

const position = z.number().int().nonnegative();
const part = partSchemas(object, { prompt_cache_breakpoint: cacheMarks(object).prompt_cache_breakpoint });
const textContent = contentOf(z.discriminatedUnion("type", [part.text]));
const userContent = contentOf(
  z.discriminatedUnion("type", [part.text, part.image_url, part.input_audio, part.file, part.video_url]),
);
const assistantContent = contentOf(z.discriminatedUnion("type", [part.text, part.refusal]));

const annotation = object({
  type: z.literal("url_citation"),
  url_citation: object({ url: z.string(), title: z.string(), start_index: position, end_index: position }),
});

const message = z.discriminatedUnion("role", [
  object({ role: z.literal("system"), content: textContent, name: text }),
  object({ role: z.literal("developer"), content: textContent, name: text }),
  object({ role: z.literal("user"), content: userContent, name: text }),
  object({
    role: z.literal("assistant"),
    content: assistantContent.nullish(),
    name: text,
    refusal: text,
    // OpenAI has no such field, but Dragoman's responses do, and callers send the messages of responses back unchanged.
    reasoning_content: text,
    tool_calls: toolCallsSchema(object, {}),
    annotations: z.array(annotation).nullish(),
    // OpenAI's responses have these fields. Callers send them back, so accept them if they are null.
    audio: z.null("is not supported; omit it").optional(),
    function_call: z.null("is not supported; use tool_calls").optional(),
  }),
  object({ role: z.literal("tool"), content: textContent, tool_call_id: z.string() }),
]);

/** Fields that change the content of a response in ways that Dragoman does not support. */
const unsupported = {
  audio: z.null("is not supported; omit it").optional(),
  functions: z.null("is not supported; use tools").optional(),
  function_call: z.null("is not supported; use tool_choice").optional(),
  modalities: z.array(z.literal("text")).nullish(),
  moderation: z.null("is not supported; omit it").optional(),
  web_search_options: z.null("is not supported; omit it").optional(),
};

/** Fields that only OpenAI supports. Dragoman sends them to OpenAI unchanged. */
const passedOn = {
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  prompt_cache_options: object({ mode: text, ttl: text }).nullish(),
  prompt_cache_retention: text,
  store: flag,
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
};

/** The message of a union: which of its forms the caller meant is unknown. */
const toolChoiceProblem = "must be none, auto, required, or an object of the type function or allowed_tools";

const body = object({
  ...sharedFields,
  ...unsupported,
  ...passedOn,
  messages: z.array(message),
  prediction: predictionSchema(object),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
  response_format: z.discriminatedUnion("type", formatSchemas(object)).nullish(),
  safety_identifier: text,
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast"]).nullish(),
  // Dragoman accepts `include_obfuscation`, but never pads chunks.
  stream_options: object({ include_usage: flag, include_obfuscation: flag }).nullish(),
  tool_choice: z.union([allowedToolsSchema(object), toolChoiceSchema(object)], toolChoiceProblem),
  tools: toolsSchema(object, {}),
}) satisfies z.ZodType<OpenAiBody>;

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
    providers: ["openai", "azure-openai"],
  },
  responseOptions: {
    reasoning: "reasoning_content",
    refusals: true,
    nulls: true,
    noFingerprint: null,
    firstContent: "",
    typedFragments: false,
    usageApart: true,
    times: false,
    modelPrefix: "",
    annotations: true,
  },
  names: { maxOutputTokens: "max_completion_tokens" },
  extraOptions(request, { rejectsOptions }) {
    const { safety_identifier, user } = request;
    const options = Object.entries(passedOn).flatMap(([name]) => {
      const value: unknown = Reflect.get(request, name);
      return value === null || value === undefined ? [] : [[name, value] as const];
    });
    if (rejectsOptions && options.length > 0) {
      throw invalidRequest(options.map(([name]) => ({ root: "body", field: [name], description: optionsAreOff })));
    }
    // If both are set, ChatRequest.user gets `safety_identifier`, which replaces `user` at OpenAI. If they differ,
    // OpenAI also receives `user`, as a provider option.
    const both = safety_identifier && user && safety_identifier !== user ? { user } : {};
    return { ...Object.fromEntries(options), ...both };
  },
  tierFields: (_request, used) => (used === "" ? {} : { service_tier: used }),
  echoFields: ({ metadata }) => (metadata ? { metadata } : {}),
  toError: toOpenAiError,
  toStreamError: toOpenAiStreamError,
});
