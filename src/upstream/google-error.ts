import { z } from "zod";

/** What the details of one of Google's errors say beyond its status. */
interface GoogleErrorDetails {
  /** `ErrorInfo.reason`, the precise word, such as `API_KEY_INVALID`. Empty when there is none. */
  readonly reason: string;
  /** `RetryInfo.retryDelay`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether a quota for the day is used up, so that waiting minutes does not help. */
  readonly dailyQuota: boolean;
}

// https://cloud.google.com/apis/design/errors#error_details: a list of messages of several types in one.
const detail = z.object({
  reason: z.string().optional().catch(undefined),
  retryDelay: z.string().optional().catch(undefined),
  violations: z
    .array(z.object({ quotaId: z.string().optional().catch(undefined) }))
    .optional()
    .catch(undefined),
});

export const googleErrorDetails = z.array(detail.catch({}));

export function readGoogleDetails(details: z.infer<typeof googleErrorDetails> = []): GoogleErrorDetails {
  const delay = details.map(({ retryDelay = "" }) => /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1]).find(Boolean);
  return {
    reason: details.map(({ reason = "" }) => reason).find(Boolean) ?? "",
    retryAfterMs: delay === undefined ? undefined : Math.round(Number(delay) * 1000),
    dailyQuota: details.some(({ violations = [] }) => violations.some(({ quotaId }) => quotaId?.includes("PerDay"))),
  };
}
