import { parseBounded } from "../../chat/validation/json-bounds.ts";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";

/** Returns the JSON object in a provider state. Undefined for other data: the state comes from the caller. */
export function stateObject(state: ProviderState | undefined): Readonly<Record<string, unknown>> | undefined {
  if (state === undefined) return undefined;
  try {
    const value: unknown = parseBounded(Buffer.from(state.data).toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
