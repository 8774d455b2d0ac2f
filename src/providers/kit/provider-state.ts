import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/** Wraps a provider's opaque data as provider state, which the caller sends back with the part in later requests. */
export function stateOf({ attempt }: UpstreamCall, data: Uint8Array): ProviderState {
  const { provider, providerModel: model } = attempt;
  return { $typeName: "dragoman.v1.ProviderState", provider, model, data };
}
