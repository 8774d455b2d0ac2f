import type { DeclaredParameter } from "../chat/planning/deployment-parameters.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";

/** A model that the configuration adds or changes, or a deployment (`deployments/<id>`), as it results. */
export interface ConfiguredModel {
  /** Takes the place of a listed model with the same id. */
  readonly model: Model;
  /** The only account whose calls may use it. Empty: every account's. */
  readonly account: string;
  /** What `ChatRequest.deployment_parameters` may hold. */
  readonly parameters: readonly DeclaredParameter[];
  /** The model completes text rather than conversations: it gets the last user message and nothing else. */
  readonly completionOnly: boolean;
}
