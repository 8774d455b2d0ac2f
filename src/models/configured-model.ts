import type { DeclaredParameter } from "../chat/planning/deployment-parameters.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { ParameterName } from "./parameter-names.ts";

/** Resolved entry of the configuration's `models` or `deployments`. */
export interface ConfiguredModel {
  /**
   * Replaces a listed model with the same id. A deployment has the id `deployments/<id>`. Its `reasoningEfforts` and
   * `supportedParameters` are those that the configuration states, and replace the rules of the model's family.
   */
  readonly model: Model;
  /** The only account whose calls may use the model. Empty: any account. */
  readonly account: string;
  /** Parameters that `ChatRequest.deployment_parameters` may set. */
  readonly parameters: readonly DeclaredParameter[];
  /**
   * Fields of ChatRequest that the model does not support, by path, whatever the rules of its family are. Default:
   * none.
   */
  readonly unsupported?: readonly ParameterName[];
  /** Whether the model completes text rather than conversations: Dragoman sends only the last user message. */
  readonly completionOnly: boolean;
}
