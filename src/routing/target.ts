import { GatewayError } from "../errors.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../providers/adapter.ts";

/** Model and the adapter of its provider. */
export interface Target {
  readonly model: Model;
  readonly adapter: Adapter;
}

/** Returns the target of a model. Throws MODEL_NOT_FOUND if its provider is not configured. */
export function targetOf(model: Model, adapters: ReadonlyMap<string, Adapter>): Target {
  const adapter = adapters.get(model.provider);
  if (adapter !== undefined) return { model, adapter };
  throw new GatewayError("MODEL_NOT_FOUND", `provider ${model.provider} is not configured`);
}
