import type { ProviderState } from "../../gen/dragoman/v1/message_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/** Wraps data that the caller must send back to the provider with the next turn. */
export function stateOf({ attempt }: UpstreamCall, data: Uint8Array): ProviderState {
  const { provider, providerModel: model } = attempt;
  return { $typeName: "dragoman.v1.ProviderState", provider, model, data };
}
