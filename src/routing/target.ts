import { GatewayError } from "../errors.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../providers/adapter.ts";

/** A model at a provider that can answer a request. */
export interface Target {
  readonly model: Model;
  readonly adapter: Adapter;
}

/** The target of a model. Throws MODEL_NOT_FOUND when its provider is not configured. */
export function targetOf(model: Model, adapters: ReadonlyMap<string, Adapter>): Target {
  const adapter = adapters.get(model.provider);
  if (adapter !== undefined) return { model, adapter };
  throw new GatewayError("MODEL_NOT_FOUND", `the provider ${model.provider} is not on`);
}
