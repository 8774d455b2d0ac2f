import type { FieldPath } from "../../field-path.ts";
import type { WarningReason } from "../../gen/dragoman/v1/warning_pb.js";

/** `Warning.reason`. */
export type WarningKind = Exclude<keyof typeof WarningReason, "UNSPECIFIED">;

/** Change to a request, because the model or the provider's API does not support a field as requested. */
export interface Adaptation {
  /**
   * UNSUPPORTED_PARAMETER: Dragoman drops the field. ADJUSTED: Dragoman replaces its value with `set`. EMULATED:
   * Dragoman provides the feature in another way. LEFT_OUT: an earlier step omitted a piece of the conversation that
   * the provider does not accept; never an error, since `strict_parameters` is about parameters, and output of one
   * model must be accepted by the next. REJECTED: always an error, because dropping the field would change the request
   * too much (an image, a named tool).
   */
  readonly kind: Extract<WarningKind, "UNSUPPORTED_PARAMETER" | "ADJUSTED" | "EMULATED" | "LEFT_OUT"> | "REJECTED";
  /** Path of the field in the request that was checked: the caller's request, or the outgoing one. */
  readonly field: FieldPath;
  /** One sentence that names the model, provider or profile and what it does not support. */
  readonly message: string;
  /** Replaces the caller's value, for ADJUSTED. */
  readonly set?: unknown;
}

/** Reports the cache hint of a tool or part that is not sent. */
export function lostHint(field: FieldPath, reason: string): Adaptation {
  return { kind: "EMULATED", field: [...field, "cache_hint"], message: `${reason}, so its cache hint is dropped` };
}
