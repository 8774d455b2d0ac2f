import { z } from "zod";
import { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import { jsonRecord } from "../kit/json-values.ts";
import {
  flag,
  formatSchemas,
  integer,
  markableTool,
  number,
  type OpenAiBody,
  sharedFields,
  text,
  toolChoiceSchema,
  toolsSchema,
} from "../openai-shape/body.ts";
import { toOpenAiStreamError } from "../openai-shape/errors.ts";
import { toolCallsSchema } from "../openai-shape/messages.ts";
import { cacheMarks, contentOf, openObject as object, partSchemas } from "../openai-shape/parts.ts";
import { createOpenAiSurface } from "../openai-shape/surface.ts";
import { toError } from "./errors.ts";
import { deepinfraNamespace } from "./namespace.ts";

// Sources: https://api.deepinfra.com/openapi.json; https://docs.deepinfra.com for top_logprobs, service_tier and the
// continuation of a response. DeepInfra allows unknown properties, so Dragoman ignores them. Dragoman also accepts
// properties that only OpenAI documents, if ChatRequest has a field for them.

const { cache_control } = cacheMarks(object);
const part = partSchemas(object, { cache_control });
const textContent = contentOf(z.discriminatedUnion("type", [part.text]));
const userContent = contentOf(z.discriminatedUnion("type", [part.text, part.image_url, part.input_audio]));

const message = z.discriminatedUnion("role", [
  object({ role: z.literal("system"), content: textContent, name: text, cache_control }),
  object({ role: z.literal("user"), content: userContent, name: text, cache_control }),
  object({
    role: z.literal("assistant"),
    content: textContent.nullish(),
    name: text,
    reasoning_content: text,
    tool_calls: toolCallsSchema(object, {}),
    cache_control,
  }),
  object({ role: z.literal("tool"), content: textContent, tool_call_id: z.string(), cache_control }),
]);

const regexFormat = object({ type: z.literal("regex"), regex: z.string() });

const body = object({
  ...sharedFields,
  messages: z.array(message),
  chat_template_kwargs: jsonRecord.nullish(),
  // Not in DeepInfra's schema: if the last message is the assistant's, DeepInfra always continues it. Dragoman requires
  // this field, which vLLM defines, to be true.
  continue_final_message: flag,
  min_p: number,
  reasoning: object({ effort: z.enum(["low", "medium", "high"]).nullish(), enabled: flag }).nullish(),
  reasoning_effort: z.enum(["none", "low", "medium", "high"]).nullish(),
  repetition_penalty: number,
  response_format: z.discriminatedUnion("type", [...formatSchemas(object), regexFormat]).nullish(),
  service_tier: text,
  stream_options: object({ include_usage: flag, continuous_usage_stats: flag }).nullish(),
  tool_choice: toolChoiceSchema(object),
  tools: toolsSchema(object, markableTool(object)),
  top_k: integer,
}) satisfies z.ZodType<OpenAiBody>;

/** DeepInfra's chat completions API. */
export const deepinfraSurface = createOpenAiSurface<z.output<typeof body>>({
  name: "deepinfra",
  path: "/v1/openai/chat/completions",
  profile: "deepinfra",
  body,
  namespace: deepinfraNamespace,
  requestOptions: {
    imageDetail: MediaDetail.AUTO,
    minusOneIsMost: false,
    usageByDefault: true,
    providers: ["deepinfra"],
  },
  responseOptions: {
    reasoning: "reasoning_content",
    refusals: false,
    nulls: false,
    noFingerprint: undefined,
    firstContent: "",
    typedFragments: false,
    usageApart: false,
    times: false,
    modelPrefix: "deepinfra/",
  },
  names: { maxOutputTokens: "max_tokens" },
  extraOptions: () => ({}),
  // DeepInfra serves the default tier if the requested one is unavailable. The response reports the tier that was used.
  tierFields({ service_tier }, used) {
    const tier = used || (service_tier ? "default" : "");
    return tier === "" ? {} : { service_tier: tier };
  },
  echoFields: () => ({}),
  toError,
  toStreamError: toOpenAiStreamError,
});
