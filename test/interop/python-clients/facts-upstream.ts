import { bodyOf, cases, type EmbeddingCase } from "../../contract/embeddings/cases.ts";
import {
  type RecordedRequest,
  type ReplayUpstream,
  type Script,
  startReplayUpstream,
} from "../../support/replay-upstream.ts";

/** Texts that the replayed embedding models understand. */
export const embeddingPrompts = {
  unary: "first",
  invalid: "first",
  limited: "Exceed the rate limit.",
  cancel: "Stall.",
};

/** Token counts that the providers report. */
export const reportedCounts = { anthropic: 42, gemini: 17 } as const;

/** Providers of the embeddings, each with its wire format. */
export const embeddingProviders: readonly EmbeddingCase[] = cases.filter(
  ({ provider, name }) => ["openai", "gemini", "cohere"].includes(provider) && name === undefined,
);

/** Vector of a text: whole numbers, which each format has. */
export const vectorOf = (text: string): readonly number[] => [text.length, 1];

const json = { "content-type": "application/json" };
const answer = (body: object): Script => ({ headers: json, steps: [{ write: JSON.stringify(body) }] });
const never = new Promise<never>(() => {});

/** Starts one server with the APIs of several providers for embeddings and token counts. */
export function startFactsUpstream(): Promise<ReplayUpstream> {
  return startReplayUpstream((request) => {
    if (request.path.endsWith("/count_tokens")) return answer({ input_tokens: reportedCounts.anthropic });
    if (request.path.endsWith(":countTokens")) return answer({ totalTokens: reportedCounts.gemini });
    const provider = embeddingProviders.find(({ path }) => path === request.path);
    if (provider === undefined) return { status: 404 };
    return embed(provider, request);
  });
}

function embed(provider: EmbeddingCase, request: RecordedRequest): Script {
  const texts = provider.textsOf(bodyOf(request));
  if (texts.includes(embeddingPrompts.cancel)) return { holdHeaders: never };
  if (texts.includes(embeddingPrompts.limited)) return { ...answer({ error: { message: "slow down" } }), status: 429 };
  return answer(provider.answer(texts.map(vectorOf), 2 * texts.length));
}

/** Environment that turns the providers on. */
export function factsEnvironment(baseUrl: string): Record<string, string> {
  const anthropic = { ANTHROPIC_API_KEY: "provider-key", ANTHROPIC_BASE_URL: baseUrl };
  return Object.assign(anthropic, ...embeddingProviders.map((provider) => provider.environment(baseUrl)));
}
