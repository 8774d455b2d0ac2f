import { promptTooLong, type Sentence } from "../kit/sentences.ts";

/** Error messages of Claude, which Bedrock passes on. They have the type of any invalid request. */
export const claudeSentences: readonly Sentence[] = [
  promptTooLong(/prompt is too long: (?<requested>\d+) tokens > (?<limit>\d+) maximum/i),
  promptTooLong(/input length and `max_tokens` exceed context limit: (?<requested>\d+) \+ \d+ > (?<limit>\d+)/i),
  {
    pattern: /^(?:the model returned the following errors: )?output blocked by content filtering policy/i,
    status: "INVALID_REQUEST",
    means: "CONTENT_FILTER",
  },
];
