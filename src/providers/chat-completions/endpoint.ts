import type { ContractNames } from "../../chat/planning/provider-options.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { keyHeader } from "../kit/attempt-key.ts";

/** Methods of OpenAI's API that Dragoman calls. */
export type ApiMethod = "chat/completions" | "responses" | "embeddings";

/** Path and authentication of a server. */
export interface Endpoint {
  /** Returns the path and query to append to the base URL. */
  path(model: Model, method: ApiMethod): string;
  /** Returns the authentication headers. */
  authorize(call: UpstreamCall): Promise<Readonly<Record<string, string>>>;
  /** What the base URL may lack, if the server does not know the path. Undefined: nothing. */
  readonly baseUrlLacks?: string | undefined;
}

export function openAiEndpoint(settings: ProviderSettings): Endpoint {
  return {
    path: (_model, method) => `/${method}`,
    // The base URLs of most servers end in a version.
    baseUrlLacks: /\/v\d/.test(settings.baseUrl) ? undefined : "/v1 at its end",
    authorize: async (call) => keyHeader("authorization", call, settings),
  };
}

/** What an adapter shares with those without some of its own fields. Both names of a field are contract names. */
export interface Shared {
  readonly settings: ProviderSettings;
  readonly endpoint: Endpoint;
  readonly upstream: Upstream;
  readonly contractNames: ContractNames;
}
