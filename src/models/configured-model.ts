import type { DeclaredParameter } from "../chat/planning/deployment-parameters.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";

/** Resolved entry of the configuration's `models` or `deployments`. */
export interface ConfiguredModel {
  /** Replaces a listed model with the same id. A deployment has the id `deployments/<id>`. */
  readonly model: Model;
  /** The only account whose calls may use the model. Empty: any account. */
  readonly account: string;
  /** Parameters that `ChatRequest.deployment_parameters` may set. */
  readonly parameters: readonly DeclaredParameter[];
  /** Whether the model completes text rather than conversations: Dragoman sends only the last user message. */
  readonly completionOnly: boolean;
}
