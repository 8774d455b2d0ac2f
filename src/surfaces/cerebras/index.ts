import { z } from "zod";
import type { FieldViolation, GatewayError, Reason } from "../../errors.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import {
  flag,
  formatSchemas,
  integer,
  jsonRecord,
  type OpenAiBody,
  predictionSchema,
  sharedFields,
  text,
  toolChoiceSchema,
  toolsSchema,
} from "../openai-shape/body.ts";
import { type ErrorKind, failedGeneration, kinds, messageOf } from "../openai-shape/errors.ts";
import { toolCallsSchema } from "../openai-shape/messages.ts";
import type { ModelNamespace } from "../openai-shape/models.ts";
import { contentOf, closedObject as object, partSchemas } from "../openai-shape/parts.ts";
import { createOpenAiSurface } from "../openai-shape/surface.ts";

// Types of @cerebras/cerebras_cloud_sdk 1.91.0, and seed 002 where it says something else.

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

/** The models that a bare name means over this surface. */
export const cerebrasNamespace: ModelNamespace = { provider: "cerebras", profile: "cerebras", rejectsForeign: true };

/**
 * Cerebras' chat completions (seed 002). The path that it has at Cerebras is OpenAI's too, so that it has a prefix here:
 * the official client takes `http://host/cerebras` as its base URL.
 */
export const cerebrasSurface = createOpenAiSurface<z.output<typeof body>>({
  name: "cerebras",
  path: "/cerebras/v1/chat/completions",
  profile: "cerebras",
  body,
  namespace: cerebrasNamespace,
  requestOptions: { minusOneIsMost: true, takesZeroLength: false, usageByDefault: false, providers: ["cerebras"] },
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
    // Its range and the tiers that have it are the adapter's to check: requests of the contract may have it too.
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
  toError: (error, requestId) => ({ status: httpStatusOf(error), body: toFlatError(error, requestId) }),
  toStreamError: (error, requestId) => ({
    error: { ...toFlatError(error, requestId), id: requestId },
    status_code: httpStatusOf(error),
  }),
});

const limited = "too_many_requests_error";

/** Cerebras' own words, as its users report them; where none are known, OpenAI's. */
const ownKinds: Readonly<Partial<Record<Reason, ErrorKind>>> = {
  INVALID_REQUEST: { type: "invalid_request_error", param: "validation_error", code: "wrong_api_format" },
  UNSUPPORTED_PARAMETER: { type: "invalid_request_error", code: "wrong_api_format" },
  MODEL_NOT_FOUND: { type: "not_found_error", param: "model", code: "model_not_found" },
  CREDENTIALS_MISSING: { type: "invalid_request_error", param: "api_key", code: "wrong_api_key" },
  CREDENTIALS_INVALID: { type: "invalid_request_error", param: "api_key", code: "wrong_api_key" },
  PROVIDER_QUOTA_EXHAUSTED: { type: "payment_required_error", param: "quota", code: "payment_required" },
  PROVIDER_RATE_LIMITED: { type: limited, param: "quota", code: "request_quota_exceeded" },
  QUEUE_FULL: { type: limited, param: "queue", code: "queue_exceeded" },
  CONCURRENCY_LIMITED: { type: limited, param: "quota", code: "request_quota_exceeded" },
};

/** Cerebras' error, which has nothing around it. */
function toFlatError(error: GatewayError, requestId: string): object {
  const { fields, metadata, provider } = error.facts;
  const kind = ownKinds[error.reason] ?? kinds[error.reason];
  // What Cerebras itself says about its limits tells which of them it was.
  const code = error.reason === "PROVIDER_RATE_LIMITED" && provider?.provider === "cerebras" ? provider.code : "";
  return {
    message: messageOf(error, requestId, describeField, "\n"),
    type: kind.type,
    param: kind.param ?? fields?.[0]?.field ?? metadata?.parameter ?? null,
    code: code || kind.code,
    ...failedGeneration(error),
  };
}

function describeField({ field, description, rule }: FieldViolation): string {
  if (rule !== "unknown_property") return `${field}: ${description}`;
  const path = field.includes(".") ? field : `body.${field}`;
  return `${path}: property '${path}' is unsupported`;
}
