import { z } from "zod";
import type { Reason } from "../../errors.ts";

/** What a provider reports of an error, wherever in its body. Texts are empty where it does not. */
export interface ReportedError {
  readonly message: string;
  /** The precise word, such as `rate_limit_exceeded`. Numbers are not codes but statuses. */
  readonly code: string;
  /** The coarse word, such as `invalid_request_error`. */
  readonly type: string;
  /** The HTTP status that the error stands for, where its body reports it. 0 otherwise. */
  readonly status: number;
  /** The request parameter that is at fault. */
  readonly parameter: string;
  /** Whether the body was JSON with an error in it, so that an API wrote it and no proxy or web server. */
  readonly structured: boolean;
  /** What the error means where the body is more precise than any code. */
  readonly reason?: Reason | undefined;
  /** What the model wrote instead of JSON. */
  readonly failedGeneration?: string | undefined;
  /** The context window and the prompt, in tokens. */
  readonly contextLengths?: { readonly limit: number; readonly requested: number } | undefined;
  /** How long to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** Finds the error in a JSON value; undefined when there is none. */
export type ErrorReader = (value: unknown) => ReportedError | undefined;

/** Optional text, passed over where it is something else. */
export const word = z.string().optional().catch(undefined);
const codeOrStatus = z.union([z.string(), z.number()]).optional().catch(undefined);

const errorObject = z.object({ message: word, type: word, code: codeOrStatus, param: word });

// What OpenAI's servers, FastAPI (`detail`), Apigee (`fault`) and other proxies have in common.
const errorBody = z.object({
  error: z.union([z.string(), errorObject]).optional().catch(undefined),
  object: word,
  message: word,
  type: word,
  code: codeOrStatus,
  param: word,
  detail: z
    .union([z.string(), z.array(z.object({ msg: z.string() })).min(1)])
    .optional()
    .catch(undefined),
  fault: z.object({ faultstring: z.string() }).optional().catch(undefined),
});

const nothing: ReportedError = { message: "", code: "", type: "", status: 0, parameter: "", structured: false };

/** Finds an error in the shapes that every dialect may meet, as proxies answer in front of any provider. */
export function readError(value: unknown): ReportedError | undefined {
  const parsed = errorBody.safeParse(unlisted(value));
  if (!parsed.success) return undefined;
  const body = parsed.data;
  const inner = typeof body.error === "object" ? body.error : undefined;
  const message = typeof body.error === "string" ? body.error : (inner?.message ?? body.message);
  const text = message ?? detailText(body.detail) ?? body.fault?.faultstring;
  if (text === undefined && inner === undefined) return undefined;
  const code = inner?.code ?? body.code;
  const isStatus = typeof code === "number" || /^\d{3}$/.test(code ?? "");
  return {
    message: text ?? "",
    code: isStatus || code === undefined ? "" : String(code),
    type: inner?.type ?? body.type ?? "",
    status: isStatus ? asStatus(Number(code)) : 0,
    parameter: inner?.param ?? body.param ?? "",
    structured:
      body.error !== undefined ||
      body.object === "error" ||
      code !== undefined ||
      body.type !== undefined ||
      // FastAPI puts these two words there when no route fits; anything else comes from the API.
      (body.detail !== undefined && body.detail !== "Not Found"),
  };
}

/**
 * A reader that adds to the common shapes what only one dialect has in its errors. `own` gives what the common shapes left
 * out; undefined where the body has nothing of it.
 */
export function extendReader<Schema extends z.ZodType>(
  schema: Schema,
  own: (body: z.infer<Schema>, common: ReportedError) => Partial<ReportedError> | undefined,
): ErrorReader {
  return (value) => {
    const common = readError(value);
    const parsed = schema.safeParse(unlisted(value));
    const found = parsed.success ? own(parsed.data, common ?? nothing) : undefined;
    return found === undefined ? common : { ...(common ?? nothing), ...found };
  };
}

/** The error in a body of any shape: JSON that `read` knows, plain text or a page of HTML. */
export function locateError(body: string, read: ErrorReader): ReportedError {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { ...nothing, message: /^\s*</.test(body) ? "" : body.trim() };
  }
  return read(value) ?? { ...nothing, message: typeof value === "string" ? value : "" };
}

/** Google puts the error in a list of one. */
function unlisted(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

function detailText(detail: z.infer<typeof errorBody>["detail"]): string | undefined {
  return Array.isArray(detail) ? detail[0]?.msg : detail;
}

function asStatus(number: number): number {
  return number >= 300 && number <= 599 ? number : 0;
}
