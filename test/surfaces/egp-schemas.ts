import { z } from "zod";

// Schemas of the Scale EGP chat completions and deployments APIs, from their documents and Scale's generated clients.
// They are independent of src/surfaces: the tests validate requests and responses against them.

const detail = z.enum(["low", "high", "auto"]).optional();
const content = z.union([
  z.strictObject({ type: z.literal("text").optional(), text: z.string() }),
  z.strictObject({ type: z.literal("image_url").optional(), image_url: z.strictObject({ url: z.string(), detail }) }),
  z.strictObject({
    type: z.literal("image_data").optional(),
    image_data: z.strictObject({
      type: z.literal("base64").optional(),
      media_type: z.string(),
      data: z.base64(),
      detail,
    }),
  }),
]);
const message = z.union([
  z.strictObject({ role: z.literal("user").optional(), content: z.union([z.string(), z.array(content)]) }),
  z.strictObject({ role: z.enum(["assistant", "system"]), content: z.string() }),
]);
const stops = z.array(z.string()).max(4).nullish();
const penalty = z.number().min(-2).max(2).nullish();

export const chatRequest = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  account_id: z.string().nullish(),
  memory_strategy: z
    .strictObject({ name: z.literal("last_k").optional(), params: z.strictObject({ k: z.int().min(1) }) })
    .nullish(),
  model_parameters: z
    .strictObject({
      temperature: z.number().min(0).max(1).nullish(),
      max_tokens: z.int().min(1).nullish(),
      stop_sequences: stops,
      topP: z.number().gt(0).max(1).nullish(),
      topK: z.int().min(-1).nullish(),
      frequency_penalty: penalty,
      presence_penalty: penalty,
      reasoning_effort: z.enum(["low", "medium", "high"]).nullish(),
    })
    .nullish(),
  instructions: z.string().nullish(),
  chat_template: z.string().nullish(),
  stream: z.boolean().nullish(),
});

export const chatAnswer = z.strictObject({
  chat_completion: z.strictObject({
    message: z.strictObject({ role: z.literal("assistant"), content: z.string() }),
    finish_reason: z.string().nullable(),
  }),
  token_usage: z
    .strictObject({ prompt: z.int().min(0), completion: z.int().min(0), total: z.int().min(0) })
    .refine(({ prompt, completion, total }) => total === prompt + completion)
    .nullable(),
});

export const deploymentRequest = z.strictObject({
  prompt: z.string(),
  chat_history: z.array(message),
  model_request_parameters: z
    .strictObject({ bindings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish() })
    .nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  stop_sequences: stops,
  max_tokens: z.int().min(1).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().nullish(),
  frequency_penalty: penalty,
  presence_penalty: penalty,
  reasoning_effort: z.enum(["low", "medium", "high"]).nullish(),
  stream: z.boolean().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).nullish(),
  chat_template: z.string().nullish(),
  chat_template_kwargs: z.record(z.string(), z.json()).nullish(),
});

const token = { token: z.string(), bytes: z.array(z.int().min(0).max(255)).optional(), logprob: z.number().max(0) };

export const deploymentAnswer = z.strictObject({
  completions: z.array(z.tuple([z.string(), z.array(z.string())])).min(1),
  choices: z
    .array(
      z.strictObject({
        index: z.int().min(0),
        logprobs: z.strictObject({
          content: z.array(z.strictObject({ ...token, top_logprobs: z.array(z.strictObject(token)) })),
        }),
      }),
    )
    .optional(),
  finish_reason: z.string().nullable(),
  prompt_tokens: z.int().min(0),
  response_tokens: z.int().min(0),
});

/** Event of a stream of the chat completions API: Scale's clients read it as an event of the deployments API. */
export const chatEvent = z.strictObject({ ...chatAnswer.shape, ...deploymentAnswer.omit({ choices: true }).shape });

/** Error body: a text or a list of violations. */
export const refusal = z.strictObject({
  detail: z.union([
    z.string(),
    z
      .array(
        z.strictObject({
          loc: z.array(z.union([z.string(), z.int()])).min(1),
          msg: z.string().min(1),
          type: z.string().min(1),
        }),
      )
      .min(1),
  ]),
});

/** The event that ends a failed stream. */
export const streamFailure = z.strictObject({
  request_id: z.string().min(1),
  error: z.strictObject({
    status_code: z.union([z.literal(400), z.literal(500)]),
    content: z.strictObject({ error: z.string().min(1), timestamp: z.iso.datetime() }),
  }),
});

/** Returns the locations of the violations in an error response, such as `body.messages.0.role`. */
export async function placesOf(response: Response): Promise<readonly string[]> {
  const { detail: found } = refusal.parse(await response.json());
  return typeof found === "string" ? [] : found.map(({ loc }) => loc.join("."));
}
