import type { Sentence } from "../../../kit/sentences.ts";

export const xaiSentences: readonly Sentence[] = [
  { pattern: /^content violates usage guidelines/i, status: "PROVIDER_PERMISSION_DENIED", means: "CONTENT_FILTER" },
  // xAI returns status 400 for a wrong API key. https://github.com/continuedev/continue/issues/10778
  { pattern: /^incorrect api key provided/i, status: "INVALID_REQUEST", means: "PROVIDER_CREDENTIALS_REJECTED" },
];
