import { z } from "zod";
import { extendReader, locateError, readError } from "../../../kit/error-body.ts";

/**
 * Reads which fields the provider behind OpenRouter rejected: OpenRouter passes on that provider's error as JSON text.
 * https://openrouter.ai/docs/api/reference/errors-and-debugging
 */
export const readOpenRouterError = extendReader(
  z.object({ error: z.object({ metadata: z.object({ raw: z.unknown() }) }) }),
  ({ error: { metadata } }, { rejectedFields }) => {
    const { raw } = metadata;
    const inner = typeof raw === "string" ? locateError(raw, readError) : readError(raw);
    return rejectedFields.length > 0 || inner === undefined ? undefined : { rejectedFields: inner.rejectedFields };
  },
);
