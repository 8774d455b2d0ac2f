import { z } from "zod";
import { googleErrorDetails, readGoogleDetails } from "./google-error.ts";

/** What a provider says of an error, wherever in its body it says it. Texts are empty when it does not. */
export interface ProvidersError {
  readonly message: string;
  /** The precise word, such as `rate_limit_exceeded`. Numbers are not codes but statuses. */
  readonly code: string;
  /** The coarse word, such as `invalid_request_error`. */
  readonly type: string;
  /** The HTTP status that the error stands for, where its body says so. 0 otherwise. */
  readonly status: number;
  /** The request parameter that is at fault. */
  readonly parameter: string;
  /** What the model wrote instead of JSON (Groq, Cerebras). */
  readonly failedGeneration: string | undefined;
  /** The window and the prompt, in tokens, where they are fields (llama.cpp). */
  readonly contextLengths: { readonly limit: number; readonly requested: number } | undefined;
  /** How long to wait, where the body says it (Google). */
  readonly retryAfterMs: number | undefined;
  /** Whether a quota for the day is used up (Google). */
  readonly dailyQuota: boolean;
  /** Whether the body was JSON with an error in it, so that an API wrote it and no proxy or web server. */
  readonly structured: boolean;
}

const word = z.string().optional().catch(undefined);
const codeOrStatus = z.union([z.string(), z.number()]).optional().catch(undefined);

const errorObject = z.object({
  message: word,
  type: word,
  code: codeOrStatus,
  status_code: z.number().optional().catch(undefined),
  param: word,
  failed_generation: word,
  // LLM Engine.
  content: z.object({ error: z.string() }).optional().catch(undefined),
  n_ctx: z.number().optional().catch(undefined),
  n_prompt_tokens: z.number().optional().catch(undefined),
  // Google: the name of a gRPC code, and what is beside it.
  status: word,
  // A list at Google; an object with the precise word at Anthropic.
  details: z
    .union([googleErrorDetails, z.object({ error_code: z.string() })])
    .optional()
    .catch(undefined),
});

const errorBody = z.object({
  // Cohere's error is nothing but an id and a message.
  id: word,
  error: z.union([z.string(), errorObject]).optional().catch(undefined),
  object: word,
  message: word,
  type: word,
  code: codeOrStatus,
  // Amazon, behind a namespace, where it is not in a header.
  __type: word,
  status_code: z.number().optional().catch(undefined),
  param: word,
  failed_generation: word,
  detail: z
    .union([z.string(), z.object({ error: z.string() }), z.array(z.object({ msg: z.string() })).min(1)])
    .optional()
    .catch(undefined),
  fault: z.object({ faultstring: z.string() }).optional().catch(undefined),
});

/** Finds the error in a body of any shape: JSON, a list that holds it, plain text or a page of HTML. */
export function locateError(body: string): ProvidersError {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return nothing(/^\s*</.test(body) ? "" : body.trim());
  }
  return locateErrorIn(value) ?? nothing(typeof value === "string" ? value : "");
}

/** The error in a JSON value; undefined when there is none. */
export function locateErrorIn(value: unknown): ProvidersError | undefined {
  const parsed = errorBody.safeParse(Array.isArray(value) ? value[0] : value);
  if (!parsed.success) return undefined;
  const body = parsed.data;
  const inner = typeof body.error === "object" ? body.error : undefined;
  const innerMessage = typeof body.error === "string" ? body.error : (inner?.message ?? inner?.content?.error);
  const message = innerMessage ?? body.message;
  const text = message ?? detailText(body.detail) ?? body.fault?.faultstring;
  if (text === undefined && inner === undefined) return undefined;
  const code = inner?.code ?? body.code ?? body.__type?.replace(/^.*#/, "");
  const details = inner?.details;
  const google = readGoogleDetails(Array.isArray(details) ? details : undefined);
  const precise = details === undefined || Array.isArray(details) ? google.reason : details.error_code;
  const isStatus = typeof code === "number" || /^\d{3}$/.test(code ?? "");
  return {
    message: text ?? "",
    code: isStatus || code === undefined ? precise : String(code),
    type: inner?.type ?? body.type ?? inner?.status ?? "",
    status: inner?.status_code ?? body.status_code ?? (isStatus ? asStatus(Number(code)) : 0),
    parameter: inner?.param ?? body.param ?? "",
    failedGeneration: inner?.failed_generation ?? body.failed_generation,
    contextLengths:
      inner?.n_ctx === undefined || inner.n_prompt_tokens === undefined
        ? undefined
        : { limit: inner.n_ctx, requested: inner.n_prompt_tokens },
    retryAfterMs: google.retryAfterMs,
    dailyQuota: google.dailyQuota,
    structured:
      body.error !== undefined ||
      body.object === "error" ||
      code !== undefined ||
      body.type !== undefined ||
      body.id !== undefined ||
      // FastAPI puts these two words there when no route fits; anything else comes from the API.
      (body.detail !== undefined && body.detail !== "Not Found"),
  };
}

function detailText(detail: z.infer<typeof errorBody>["detail"]): string | undefined {
  if (detail === undefined || typeof detail === "string") return detail;
  return Array.isArray(detail) ? detail[0]?.msg : detail.error;
}

function asStatus(number: number): number {
  return number >= 300 && number <= 599 ? number : 0;
}

function nothing(message: string): ProvidersError {
  return {
    message,
    code: "",
    type: "",
    status: 0,
    parameter: "",
    failedGeneration: undefined,
    contextLengths: undefined,
    retryAfterMs: undefined,
    dailyQuota: false,
    structured: false,
  };
}
