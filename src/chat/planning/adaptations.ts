import type { FieldPath } from "../../field-path.ts";

/** Change to a request, because the model or the provider's API does not support a field as requested. */
export interface Adaptation {
  /**
   * UNSUPPORTED_PARAMETER: Dragoman drops the field. ADJUSTED: Dragoman replaces its value with `set`. EMULATED:
   * Dragoman provides the feature in another way. REJECTED: always an error, because dropping the field would change
   * the request too much (an image, a named tool).
   */
  readonly kind: "UNSUPPORTED_PARAMETER" | "ADJUSTED" | "EMULATED" | "REJECTED";
  /** Path of the field in the request that was checked: the caller's request, or the outgoing one. */
  readonly field: FieldPath;
  /** One sentence that names the model, provider or profile and what it does not support. */
  readonly message: string;
  /** Replaces the caller's value, for ADJUSTED. */
  readonly set?: unknown;
}
