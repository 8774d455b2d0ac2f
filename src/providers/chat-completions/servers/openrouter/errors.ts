import { z } from "zod";
import { limitResetMs } from "../../../../upstream/retry-after.ts";
import { extendReader, locateError, readError } from "../../../kit/error-body.ts";

const metadata = z.object({
  // The error of the provider behind OpenRouter: JSON text, or an object.
  raw: z.unknown().optional(),
  // Only in errors of a prompt that a moderation blocked.
  reasons: z.array(z.unknown()).optional().catch(undefined),
  flagged_input: z.string().optional().catch(undefined),
  // The rate limit's headers, in a rate limit error of a free model: `X-RateLimit-Reset` and so on.
  headers: z.record(z.string(), z.string()).optional().catch(undefined),
});

/** Statuses of errors that are about the request, for which the provider's own words count. */
const ofRequest: ReadonlySet<number> = new Set([400, 403, 404, 413, 422]);

/**
 * Reads what OpenRouter tells beside its message, which is often only "Provider returned error".
 * https://openrouter.ai/docs/api/reference/errors-and-debugging
 */
export const readOpenRouterError = extendReader(
  z.object({ error: z.object({ metadata }) }),
  ({ error: { metadata: told } }, common) => {
    if (told.reasons !== undefined && told.flagged_input !== undefined) {
      return { innerCode: "content_filter", filterResult: { reasons: told.reasons } };
    }
    const { raw, headers = {} } = told;
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const retryAfterMs = limitResetMs(lower, common.status, Date.now());
    const inner = typeof raw === "string" ? locateError(raw, readError) : readError(raw);
    if (inner === undefined) return retryAfterMs === undefined ? undefined : { retryAfterMs };
    const { rejectedFields } = common.rejectedFields.length > 0 ? common : inner;
    if (inner.message === "" || !ofRequest.has(common.status)) return { rejectedFields, retryAfterMs };
    const { message, code, type, innerCode, filterResult, failedGeneration } = inner;
    return { message, code, type, innerCode, filterResult, rejectedFields, failedGeneration };
  },
);
