import { z } from "zod";
import { extendReader, type ReportedError, word } from "../kit/error-body.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import { rejectedField } from "../kit/rejected-fields.ts";
import { promptTooLong } from "../kit/sentences.ts";

// https://cloud.google.com/apis/design/errors#error_details
// `details` is a list of messages of several types. This schema has the fields of all of them.
const detail = z.object({
  /** `ErrorInfo.reason`, more precise than `status`, such as `API_KEY_INVALID`. */
  reason: word,
  /** `RetryInfo.retryDelay`, in seconds, such as `12.5s`. */
  retryDelay: word,
  /** `BadRequest.fieldViolations`. */
  fieldViolations: z
    .array(z.object({ field: word }))
    .optional()
    .catch(undefined),
  /** `QuotaFailure.violations`. */
  violations: z
    .array(z.object({ quotaId: word }))
    .optional()
    .catch(undefined),
});

const errorBody = z.object({
  error: z.object({
    /** Name of a gRPC status code. */
    status: word,
    details: z.array(detail.catch({})).optional().catch(undefined),
  }),
});

/** Errors of the Gemini API and Vertex AI. https://ai.google.dev/gemini-api/docs/troubleshooting */
export const googleErrors: ErrorDialect = {
  read: extendReader(errorBody, ({ error: { status, details = [] } }, { code, type, rejectedFields }) => ({
    code: code || (details.map(({ reason = "" }) => reason).find(Boolean) ?? ""),
    type: type || (status ?? ""),
    retryAfterMs: retryDelayMs(details),
    reason: reasonOfQuota(details),
    rejectedFields: [
      ...rejectedFields,
      ...details
        .flatMap(({ fieldViolations = [] }) => fieldViolations)
        .flatMap(({ field }) => (field ? [rejectedField(field)] : [])),
    ],
  })),
  // The keys are gRPC status codes or values of `ErrorInfo.reason`. An invalid API key has the status INVALID_ARGUMENT,
  // so only the reason identifies it. FAILED_PRECONDITION: no free tier in the country, and billing is not enabled.
  codes: {
    API_KEY_INVALID: "PROVIDER_CREDENTIALS_REJECTED",
    UNAUTHENTICATED: "PROVIDER_CREDENTIALS_REJECTED",
    PERMISSION_DENIED: "PROVIDER_PERMISSION_DENIED",
    INVALID_ARGUMENT: "INVALID_REQUEST",
    OUT_OF_RANGE: "INVALID_REQUEST",
    FAILED_PRECONDITION: "PROVIDER_QUOTA_EXHAUSTED",
    NOT_FOUND: "MODEL_NOT_FOUND",
    RESOURCE_EXHAUSTED: "PROVIDER_RATE_LIMITED",
    CANCELLED: "PROVIDER_UNAVAILABLE",
    ABORTED: "PROVIDER_UNAVAILABLE",
    UNKNOWN: "PROVIDER_UNAVAILABLE",
    INTERNAL: "PROVIDER_UNAVAILABLE",
    UNAVAILABLE: "PROVIDER_UNAVAILABLE",
    DEADLINE_EXCEEDED: "PROVIDER_TIMEOUT",
    UNIMPLEMENTED: "PROVIDER_FAULT",
  },
  types: {},
  sentences: [
    promptTooLong(
      /input token count(?: \((?<requested>\d+)\))? exceeds the maximum number of tokens allowed \(?(?<limit>\d+)/i,
    ),
  ],
};

type Details = readonly z.infer<typeof detail>[];

function retryDelayMs(details: Details): number | undefined {
  const delay = details.map(({ retryDelay = "" }) => /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1]).find(Boolean);
  return delay === undefined ? undefined : Math.round(Number(delay) * 1000);
}

/** Distinguishes an exhausted daily quota from a rate limit: a retry within minutes does not help. */
function reasonOfQuota(details: Details): ReportedError["reason"] {
  const isDaily = details.some(({ violations = [] }) => violations.some(({ quotaId }) => quotaId?.includes("PerDay")));
  return isDaily ? "PROVIDER_QUOTA_EXHAUSTED" : undefined;
}
