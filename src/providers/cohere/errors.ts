import { z } from "zod";
import { extendReader } from "../kit/error-body.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import { promptTooLong } from "../kit/sentences.ts";

/** Cohere's error rules. https://docs.cohere.com/reference/errors */
export const cohereErrors: ErrorDialect = {
  // Cohere's errors have only an id and a message.
  read: extendReader(z.object({ id: z.string(), message: z.string() }), () => ({ structured: true })),
  codes: {},
  types: {},
  sentences: [
    promptTooLong(
      /total number of tokens in the prompt cannot exceed (?<limit>\d+)(?: - received (?<requested>\d+))?/i,
    ),
    // Trial API keys have this monthly quota, and also a rate limit per minute.
    {
      pattern: /limited to \d+ api calls \/ month/i,
      status: "PROVIDER_RATE_LIMITED",
      means: "PROVIDER_QUOTA_EXHAUSTED",
    },
  ],
};
