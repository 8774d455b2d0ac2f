import { z } from "zod";
import type { FieldViolation, GatewayError } from "../../errors.ts";
import { MediaDetail } from "../../gen/dragoman/v1/message_pb.js";
import { httpStatusOf } from "../kit/http-status.ts";
import type { SurfaceError } from "../kit/surface.ts";
import {
  flag,
  formatSchemas,
  integer,
  jsonRecord,
  markableTool,
  number,
  type OpenAiBody,
  sharedFields,
  text,
  toolChoiceSchema,
  toolsSchema,
} from "../openai-shape/body.ts";
import { toErrorObject } from "../openai-shape/errors.ts";
import { toolCallsSchema } from "../openai-shape/messages.ts";
import type { ModelNamespace } from "../openai-shape/models.ts";
import { cacheMarks, contentOf, openObject as object, partSchemas } from "../openai-shape/parts.ts";
import { createOpenAiSurface } from "../openai-shape/surface.ts";

// https://api.deepinfra.com/openapi.json, and https://docs.deepinfra.com for top_logprobs, service_tier and the
// continuation of an answer. It does not forbid other properties, so that they are ignored; of OpenAI's, those that the
// contract has are taken.

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
  // Not in its document, which has the answer continued without a word of it; called so by vLLM.
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

/** The models that a bare name means over this surface. DeepInfra itself says which names it does not know. */
export const deepinfraNamespace: ModelNamespace = {
  provider: "deepinfra",
  profile: "deepinfra",
  rejectsForeign: false,
};

/** DeepInfra's chat completions (seed 004). */
export const deepinfraSurface = createOpenAiSurface<z.output<typeof body>>({
  name: "deepinfra",
  path: "/v1/openai/chat/completions",
  profile: "deepinfra",
  body,
  namespace: deepinfraNamespace,
  requestOptions: {
    imageDetail: MediaDetail.AUTO,
    minusOneIsMost: false,
    takesZeroLength: true,
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
  // A tier that cannot be had is served as the default one, and the answer says so.
  tierFields({ service_tier }, used) {
    const tier = used || (service_tier ? "default" : "");
    return tier === "" ? {} : { service_tier: tier };
  },
  echoFields: () => ({}),
  toError,
  toStreamError: (error, requestId) => ({ error: toErrorObject(error, requestId) }),
});

/** Fields that are wrong are a list with 422; everything else is OpenAI's object. */
function toError(error: GatewayError, requestId: string): SurfaceError {
  const { fields } = error.facts;
  if (error.reason === "INVALID_REQUEST" && fields !== undefined) {
    return { status: 422, body: { detail: fields.map(toDetail) } };
  }
  return { status: httpStatusOf(error), body: { error: toErrorObject(error, requestId) } };
}

/** Pydantic's words for the rules that have one. */
const detailTypes: Readonly<Record<string, string>> = {
  missing: "missing",
  unknown_property: "extra_forbidden",
  invalid_type: "type_error",
  invalid_value: "literal_error",
};

function toDetail({ field, description, rule }: FieldViolation): object {
  const path = field === "body" ? [] : field.split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return { loc: ["body", ...path], msg: description, type: detailTypes[rule ?? ""] ?? "value_error" };
}
