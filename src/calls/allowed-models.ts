import { AllowedModels } from "../accounts/allowed-models.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Call } from "./call.ts";

/** Returns the models that a call may request for an account. Throws ACCOUNT_NOT_ALLOWED if the account expired. */
export function allowedModels({ caller, snapshot }: Pick<Call, "caller" | "snapshot">, account: string): AllowedModels {
  return snapshot.directory?.allowedModels(caller, account) ?? new AllowedModels(caller, undefined);
}

/** Throws MODEL_NOT_ALLOWED for a name in a request that is not allowed: its model, or one of its fallbacks. */
export function requireAllowed({ model, fallbackModels }: ChatRequest, allowed: AllowedModels): void {
  allowed.require(model);
  for (const [index, name] of fallbackModels.entries()) allowed.require(name, ["fallback_models", index]);
}

/** Returns the models of which a call may write the id or an alias. */
export function onlyAllowed(models: readonly Model[], allowed: AllowedModels): readonly Model[] {
  return models.filter(({ id, aliases }) => allowed.hasOneOf([id, ...aliases]));
}
