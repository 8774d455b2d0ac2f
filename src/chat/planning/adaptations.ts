import type { FieldPath } from "../../field-path.ts";

/** Something in a request that a model, in a provider's dialect, cannot do as asked. */
export interface Adaptation {
  /**
   * UNSUPPORTED_PARAMETER: the field is left out. ADJUSTED: it gets the value `set`. EMULATED: it stays, and is done
   * here. REJECTED: leaving it out would change what is asked too much (an image, a named tool), so it is always an error.
   */
  readonly kind: "UNSUPPORTED_PARAMETER" | "ADJUSTED" | "EMULATED" | "REJECTED";
  /** The field in the request that was checked. */
  readonly field: FieldPath;
  /** One sentence: what cannot be done and by whom. */
  readonly message: string;
  /** The value that replaces the caller's, for ADJUSTED. */
  readonly set?: unknown;
}
