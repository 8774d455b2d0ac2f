import { GatewayError } from "../errors.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../providers/adapter.ts";

/** Model and the adapter of its provider. */
export interface Target {
  readonly model: Model;
  readonly adapter: Adapter;
}

/** What tells a target from others. It does not keep an adapter, which a reload may replace. */
export interface NamedTarget {
  readonly model: Pick<Model, "provider" | "providerModel">;
  readonly adapter: Pick<Adapter, "baseUrl">;
}

export function namedTarget({ model: { provider, providerModel }, adapter: { baseUrl } }: NamedTarget): NamedTarget {
  return { model: { provider, providerModel }, adapter: baseUrl === undefined ? {} : { baseUrl } };
}

/** Returns the name of a target, as in `Attempt.target`. */
export function targetName({ provider, providerModel }: Pick<Model, "provider" | "providerModel">): string {
  return `${provider}/${providerModel}`;
}

/** Returns the target of a model. Throws PROVIDER_NOT_CONFIGURED if its provider is not configured. */
export function targetOf(model: Model, adapters: ReadonlyMap<string, Adapter>): Target {
  const adapter = adapters.get(model.provider);
  if (adapter !== undefined) return { model, adapter };
  const { id, provider } = model;
  const message = `the model ${id} needs the provider ${provider}, which is not configured`;
  throw new GatewayError("PROVIDER_NOT_CONFIGURED", message, { metadata: { model: id, provider } });
}
