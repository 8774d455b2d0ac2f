import type { Reason } from "../errors.ts";
import type { ProvidersError } from "./error-body.ts";

/** A sentence that says more than the status beside it, where the provider has no code for it. */
interface Sentence {
  readonly pattern: RegExp;
  /** What the status says. Beside any other the sentence counts for nothing, as it may quote the caller. */
  readonly status: Reason;
  readonly means: Reason;
}

/** That a prompt is longer than the model's window, by provider; with both lengths, in tokens, where they are told. */
const tooLong: readonly RegExp[] = [
  // OpenAI, DeepInfra, DeepSeek, Fireworks, Groq, OpenRouter, vLLM, SGLang; xAI says "prompt" for "context".
  /maximum (?:context|prompt) length (?:is|of) (?<limit>\d+)(?:.*?(?:resulted in|requested(?: about)?|contains(?: at least)?) (?<requested>\d+))?/is,
  // Cerebras. https://github.com/cline/cline/issues/5140
  /current length is (?<requested>\d+) while limit is (?<limit>\d+)/i,
  // Anthropic.
  /prompt is too long: (?<requested>\d+) tokens > (?<limit>\d+) maximum/i,
  // Mistral. https://docs.mistral.ai/resources/known-adaptations
  /prompt contains (?<requested>\d+) tokens.*too large for model with (?<limit>\d+) maximum context length/is,
  // Google.
  /input token count(?: \((?<requested>\d+)\))? exceeds the maximum number of tokens allowed \(?(?<limit>\d+)/i,
  // Cohere. https://docs.cohere.com/reference/errors
  /total number of tokens in the prompt cannot exceed (?<limit>\d+)(?: - received (?<requested>\d+))?/i,
  // Moonshot. https://platform.kimi.ai/docs/api/errors
  /exceeded model token limit ?: ?(?<limit>\d+)(?: \(requested: (?<requested>\d+)\))?/i,
  /input token length too long/i,
  // Amazon. https://repost.aws/knowledge-center/bedrock-validation-exception-errors
  /input is too long for requested model/i,
];

const sentences: readonly Sentence[] = [
  ...tooLong.map((pattern): Sentence => ({ pattern, status: "INVALID_REQUEST", means: "CONTEXT_LENGTH_EXCEEDED" })),
  // xAI's status is 400. https://github.com/continuedev/continue/issues/10778
  { pattern: /^incorrect api key provided/i, status: "INVALID_REQUEST", means: "PROVIDER_CREDENTIALS_REJECTED" },
  // Anthropic's status is 400.
  { pattern: /^your credit balance is too low/i, status: "INVALID_REQUEST", means: "PROVIDER_QUOTA_EXHAUSTED" },
  // Cohere's trial keys have this limit beside one for the minute. https://docs.cohere.com/reference/errors
  { pattern: /limited to \d+ api calls \/ month/i, status: "PROVIDER_RATE_LIMITED", means: "PROVIDER_QUOTA_EXHAUSTED" },
];

/** What an error means, by its sentence where that says more than its status did. */
export function reasonOfSentence(message: string, reason: Reason): Reason {
  return sentences.find(({ pattern, status }) => status === reason && pattern.test(message))?.means ?? reason;
}

/** Both lengths, when the error states them: in fields (llama.cpp) or in its sentence. */
export function contextLengths({ message, contextLengths: fields }: ProvidersError): Readonly<Record<string, string>> {
  const said = tooLong.map((pattern) => pattern.exec(message)?.groups).find(Boolean);
  const limit = fields?.limit ?? said?.limit;
  const requested = fields?.requested ?? said?.requested;
  if (limit === undefined || requested === undefined) return {};
  return { context_window_tokens: String(limit), input_tokens: String(requested) };
}
