import type { Reason } from "../../../../errors.ts";
import { promptTooLong, type Sentence } from "../../../kit/sentences.ts";

// Source: https://platform.kimi.ai/docs/api/errors

export const moonshotReasons = {
  exceeded_current_quota_error: "PROVIDER_QUOTA_EXHAUSTED",
  engine_overloaded_error: "PROVIDER_UNAVAILABLE",
} as const satisfies Readonly<Record<string, Reason>>;

export const moonshotSentences: readonly Sentence[] = [
  promptTooLong(/exceeded model token limit ?: ?(?<limit>\d+)(?: \(requested: (?<requested>\d+)\))?/i),
  promptTooLong(/input token length too long/i),
];
