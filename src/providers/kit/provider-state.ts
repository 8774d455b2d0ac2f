import { parseBounded } from "../../chat/validation/json-bounds.ts";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { isFields } from "./metadata.ts";

/** Wraps a provider's opaque data as provider state, which the caller sends back with the part in later requests. */
export function stateOf({ attempt }: UpstreamCall, data: Uint8Array): ProviderState {
  const { provider, providerModel: model } = attempt;
  return { $typeName: "dragoman.v1.ProviderState", provider, model, data };
}

/**
 * Returns the JSON text of a provider state that holds a JSON object. Undefined without a state, and for any other
 * data: the state comes from the caller, who could have changed it, and its text becomes a piece of the upstream body.
 */
export function jsonOfState(state: ProviderState | undefined): string | undefined {
  return parsedState(state)?.json;
}

/** Returns the JSON object in a provider state. Undefined as for `jsonOfState`. */
export function stateObject(state: ProviderState | undefined): Readonly<Record<string, unknown>> | undefined {
  return parsedState(state)?.value;
}

function parsedState(state: ProviderState | undefined) {
  if (state === undefined) return undefined;
  const json = Buffer.from(state.data).toString();
  try {
    const value: unknown = parseBounded(json);
    return isFields(value) ? { json, value } : undefined;
  } catch {
    return undefined;
  }
}
