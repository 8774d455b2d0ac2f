import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { fromJsonText } from "../kit/json-values.ts";

/** Provider whose API this is. */
export const anthropic = "anthropic";

/** Whether a provider has Anthropic's API, so that its state is what this API sends. */
export type IsClaude = (provider: string | undefined) => boolean;

export function claudeProviders(catalog: Catalog): IsClaude {
  const names = new Set(catalog.providersOf(anthropic));
  return (provider) => provider !== undefined && names.has(provider);
}

/**
 * Returns state that came from a caller of this API. It does not name the model that made it: callers can have it from
 * Anthropic itself.
 */
export function claudeState(text: string): ProviderState {
  return { $typeName: "dragoman.v1.ProviderState", provider: anthropic, model: "", data: Buffer.from(text) };
}

export function textOfState({ data }: ProviderState): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}

/** Returns the members of a block that the provider's state has. Undefined if it is not the state of such a provider. */
export function claudeMembers(
  state: ProviderState | undefined,
  isClaude: IsClaude,
): Readonly<Record<string, unknown>> | undefined {
  return state !== undefined && isClaude(state.provider) ? asObject(fromJsonText(textOfState(state))) : undefined;
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** Whether a citation has state of a provider with another API. */
export function hasForeignState({ providerState }: Citation, isClaude: IsClaude): boolean {
  return providerState !== undefined && !isClaude(providerState.provider);
}
