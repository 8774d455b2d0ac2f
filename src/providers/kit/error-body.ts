import { z } from "zod";
import { parseBounded } from "../../chat/validation/json-bounds.ts";
import type { Reason, RejectedField } from "../../errors.ts";
import { details, type ErrorText, errorText, firstText, rejectedField, rejectedIn } from "./rejected-fields.ts";

/** Error from a provider's response body. A string is empty if the body does not contain it. */
export interface ReportedError {
  readonly message: string;
  /** Specific error code, such as `rate_limit_exceeded`. A numeric code goes into `status` instead. */
  readonly code: string;
  /** General error type, such as `invalid_request_error`. */
  readonly type: string;
  /** Code of an inner error (Azure), which is more precise than `code`. */
  readonly innerCode: string;
  /** Results of the provider's content filter (Azure). */
  readonly filterResult?: unknown;
  /** HTTP status that the body reports. 0 if it reports none. */
  readonly status: number;
  /** Fields of the request body that caused the error, as far as the body names them outside its sentences. */
  readonly rejectedFields: readonly RejectedField[];
  /** Whether the body has the error structure of an API. False for the body of a proxy or a web server. */
  readonly structured: boolean;
  /** Whether the body is an HTML page. */
  readonly isPage?: boolean;
  /** Reason that other fields of the body imply. It takes precedence over the code, the type and the status. */
  readonly reason?: Reason | undefined;
  /** Model output that is not the requested JSON, or no valid tool call. */
  readonly failedGeneration?: string | undefined;
  /** Context window (`limit`) and prompt length (`requested`), in tokens. */
  readonly contextLengths?: { readonly limit: number; readonly requested: number } | undefined;
  /** Time to wait before a retry, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** Finds the error in a JSON value. Returns undefined if there is none. */
export type ErrorReader = (value: unknown) => ReportedError | undefined;

/** Optional text. A value of another type counts as absent. */
export const word = z.string().optional().catch(undefined);
const codeOrStatus = z.union([z.string(), z.number()]).optional().catch(undefined);

const errorObject = z.object({
  message: errorText,
  type: word,
  code: codeOrStatus,
  param: word,
  status: z.number().optional().catch(undefined),
  innererror: z.object({ code: word, content_filter_result: z.unknown().optional() }).optional().catch(undefined),
  // Model output that is not the requested JSON, or no valid tool call (Groq, Cerebras).
  failed_generation: word,
});

// The common error shapes: those of OpenAI-compatible servers, FastAPI (`detail`), Apigee (`fault`) and other proxies.
const errorBody = z.object({
  error: z.union([z.string(), errorObject]).optional().catch(undefined),
  object: word,
  message: errorText,
  type: word,
  code: codeOrStatus,
  param: word,
  failed_generation: word,
  detail: z.union([z.string(), details]).optional().catch(undefined),
  fault: z.object({ faultstring: z.string() }).optional().catch(undefined),
});

const nothing: ReportedError = {
  message: "",
  code: "",
  innerCode: "",
  type: "",
  status: 0,
  rejectedFields: [],
  structured: false,
};

/**
 * Whether the field `error` of a response reports an error. Some servers always send the field: as null, false, an
 * empty text, an empty list or an empty object.
 */
export function isError(error: unknown): boolean {
  if (typeof error === "object" && error !== null) return Object.keys(error).length > 0;
  return Boolean(error);
}

/** Finds an error in a common shape. Any adapter may receive these shapes, since a proxy may respond for a provider. */
export function readError(value: unknown): ReportedError | undefined {
  const parsed = errorBody.safeParse(unlisted(value));
  if (!parsed.success) return undefined;
  const body = parsed.data;
  const inner = typeof body.error === "object" ? body.error : undefined;
  const written: ErrorText | undefined = typeof body.error === "string" ? body.error : (inner?.message ?? body.message);
  const text = firstText(written) ?? firstText(body.detail) ?? body.fault?.faultstring;
  if (text === undefined && inner === undefined) return undefined;
  const code = inner?.code ?? body.code;
  const parameter = inner?.param ?? body.param;
  const isStatus = /^\d{3}$/.test(String(code ?? ""));
  return {
    message: text ?? "",
    code: isStatus || code === undefined ? "" : String(code),
    innerCode: inner?.innererror?.code ?? "",
    filterResult: inner?.innererror?.content_filter_result,
    type: inner?.type ?? body.type ?? "",
    status: asStatus(isStatus ? Number(code) : (inner?.status ?? 0)),
    failedGeneration: inner?.failed_generation ?? body.failed_generation,
    rejectedFields: parameter
      ? [rejectedField(parameter, isStatus ? "" : code)]
      : [...rejectedIn(written), ...rejectedIn(body.detail)],
    structured:
      body.error !== undefined ||
      body.object === "error" ||
      code !== undefined ||
      body.type !== undefined ||
      // FastAPI itself sends "Not Found" if no route matches. Any other text comes from the API.
      (body.detail !== undefined && body.detail !== "Not Found"),
  };
}

/**
 * Returns a reader that adds one API's own error fields to the common shapes. `readOwn` returns the fields that
 * override the common ones; undefined if the body has no own fields.
 */
export function extendReader<Schema extends z.ZodType>(
  schema: Schema,
  readOwn: (body: z.infer<Schema>, common: ReportedError) => Partial<ReportedError> | undefined,
): ErrorReader {
  return (value) => {
    const common = readError(value);
    const parsed = schema.safeParse(unlisted(value));
    const found = parsed.success ? readOwn(parsed.data, common ?? nothing) : undefined;
    return found === undefined ? common : { ...(common ?? nothing), ...found };
  };
}

/** Finds the error in any body: JSON that `read` recognizes, plain text or an HTML page. */
export function locateError(body: string, read: ErrorReader): ReportedError {
  let value: unknown;
  try {
    value = parseBounded(body);
  } catch {
    const isPage = /^\s*</.test(body);
    return { ...nothing, isPage, message: isPage ? "" : body.trim() };
  }
  return read(value) ?? { ...nothing, message: typeof value === "string" ? value : "" };
}

/** Unwraps Google's errors, which are arrays of one element. */
function unlisted(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

function asStatus(number: number): number {
  return number >= 300 && number <= 599 ? number : 0;
}
