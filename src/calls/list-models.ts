import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { allowedModels, onlyAllowed } from "./allowed-models.ts";
import type { Call } from "./call.ts";

type Lookup = Pick<Call, "caller" | "snapshot" | "signal">;

/**
 * Returns the models and routes that a call may use for an account, ordered by id, with those that servers list.
 *
 * @param provider only its models. Default: all
 */
export async function listModels(call: Lookup, account: string, provider?: string): Promise<readonly Model[]> {
  return onlyAllowed(await listAll(call, account, provider), allowedModels(call, account));
}

/**
 * Returns the model that a name means, with what its server tells about it. Throws MODEL_NOT_ALLOWED, and the errors of
 * `Catalog.resolve`.
 */
export async function getModel(call: Lookup, account: string, name: string): Promise<Model> {
  allowedModels(call, account).require(name);
  const { catalog, adapters } = call.snapshot;
  const model = catalog.resolve(name, account);
  if (adapters.get(model.provider)?.listModels === undefined) return model;
  const listed = await listAll(call, account, model.provider);
  return listed.find(({ id }) => id === model.id) ?? model;
}

async function listAll({ snapshot, signal }: Lookup, account: string, provider: string | undefined) {
  const { adapters, catalog, served } = snapshot;
  const asked =
    provider === undefined ? adapters.values() : [adapters.get(provider)].filter((one) => one !== undefined);
  return catalog.list(provider, account, await served?.of(asked, signal));
}
