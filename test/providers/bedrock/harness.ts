import { create } from "@bufbuild/protobuf";
import type { ProviderSettings, UpstreamTimeouts } from "../../../src/config/provider.ts";
import { Secret } from "../../../src/config/secret.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import type { AdapterContext } from "../../../src/providers/adapter.ts";

export const sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/** Without `key`, the adapter signs requests. */
export function settings(
  baseUrl: string,
  { key = "bedrock-key", timeouts = {} }: { key?: string; timeouts?: Partial<UpstreamTimeouts> } = {},
): ProviderSettings<{ readonly region: string }> {
  return {
    name: "bedrock",
    dialect: "bedrock",
    baseUrl,
    apiKey: key === "" ? undefined : new Secret(key),
    keys: [],
    headers: {},
    timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000, ...timeouts },
    maxConnections: 4,
    maxQueue: 16,
    options: { region: "us-east-1" },
    variables: {},
  };
}

/** Model that is not in the catalog. */
export function model(providerModel = sonnet): Model {
  return create(ModelSchema, { id: `bedrock/${providerModel}`, provider: "bedrock", providerModel });
}

export function context(signal: AbortSignal = new AbortController().signal): AdapterContext {
  return {
    signal,
    holder: "account:a",
    attempt: create(AttemptSchema, { provider: "bedrock", providerModel: sonnet }),
    queue: { waitsFor: undefined },
  };
}
