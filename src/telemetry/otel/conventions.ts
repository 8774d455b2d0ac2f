import type { OtelSettings } from "../../config/telemetry.ts";

/**
 * Names of attributes, in one place: the GenAI conventions still change. `1.41` has the names of version 1.41 of the
 * semantic conventions, which collectors and dashboards know. `latest` has those of
 * https://github.com/open-telemetry/semantic-conventions-genai, with OTEL_SEMCONV_STABILITY_OPT_IN set to
 * `gen_ai_latest_experimental`.
 */
const common = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  maxTokens: "gen_ai.request.max_tokens",
  temperature: "gen_ai.request.temperature",
  topP: "gen_ai.request.top_p",
  topK: "gen_ai.request.top_k",
  choices: "gen_ai.request.choice.count",
  dimensions: "gen_ai.embeddings.dimension.count",
  responseId: "gen_ai.response.id",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  firstChunkSeconds: "gen_ai.response.time_to_first_chunk",
} as const;

const generations = {
  "1.41": {
    ...common,
    cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
    duration: "gen_ai.client.operation.duration",
    firstChunk: "gen_ai.client.operation.time_to_first_chunk",
  },
  latest: {
    ...common,
    cacheWriteTokens: "gen_ai.usage.cache_write.input_tokens",
    duration: "gen_ai.client.inference.duration",
    firstChunk: "gen_ai.client.inference.time_to_first_chunk",
  },
} as const satisfies Record<OtelSettings["conventions"], Record<string, string>>;

/** Names of the GenAI attributes of one generation. */
export type GenAiNames = (typeof generations)[OtelSettings["conventions"]];

export function genAiNames(generation: OtelSettings["conventions"]): GenAiNames {
  return generations[generation];
}

/** Token metrics: one histogram in 1.41, and a counter for each kind in the latest names. */
export const tokenMetrics = {
  usage: "gen_ai.client.token.usage",
  type: "gen_ai.token.type",
  inputTokens: "gen_ai.client.inference.usage.input_tokens",
  outputTokens: "gen_ai.client.inference.usage.output_tokens",
} as const;

/** Attributes with stable names: https://opentelemetry.io/docs/specs/semconv/rpc/ and `general/`, `http/`. */
export const stable = {
  rpcSystem: "rpc.system.name",
  rpcMethod: "rpc.method",
  rpcStatus: "rpc.response.status_code",
  rpcDuration: "rpc.server.call.duration",
  errorType: "error.type",
  peerAddress: "network.peer.address",
  httpStatus: "http.response.status_code",
  serverAddress: "server.address",
  serverPort: "server.port",
} as const;

/** Attributes that only Dragoman has. */
export const own = {
  callId: "dragoman.call.id",
  requestId: "dragoman.request.id",
  protocol: "dragoman.protocol",
  outcome: "dragoman.outcome",
  reason: "dragoman.reason",
  route: "dragoman.route",
  model: "dragoman.model",
  provider: "dragoman.provider",
  target: "dragoman.target",
  credential: "dragoman.credential",
  choice: "dragoman.choice_index",
  serviceTier: "dragoman.service_tier",
  attempts: "dragoman.attempts",
  overheadSeconds: "dragoman.overhead",
  queueSeconds: "dragoman.queue_duration",
  costUsd: "dragoman.cost_usd",
  providerRequestId: "dragoman.provider.request_id",
} as const;

/** `gen_ai.provider.name` of the dialects that the conventions name. Others have their own name. */
const providerNames: Readonly<Record<string, string>> = {
  "azure-openai": "azure.ai.openai",
  bedrock: "aws.bedrock",
  gemini: "gcp.gemini",
  vertex: "gcp.vertex_ai",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  xai: "x_ai",
};

export function genAiProvider(provider: string): string {
  return providerNames[provider] ?? provider;
}
