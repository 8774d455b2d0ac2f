import type { JsonObject } from "@bufbuild/protobuf";
import type { FieldPath } from "../../field-path.ts";
import type { WarningKind } from "./adaptations.ts";

/** Fields of a body of another HTTP API that ChatRequest has no field for. */
export interface ExtraFields {
  readonly fields: JsonObject;
  /**
   * Whether the documentation of some API has the field. Only APIs that have it get it; an unknown field goes to all.
   */
  readonly isDocumented: (name: string) => boolean;
  /** Body paths of fields inside messages and other fields that Dragoman leaves out. */
  readonly leftOut: readonly FieldPath[];
  /** What the translation of the body did differently, by body paths. Default: nothing. */
  readonly notes?: readonly { readonly reason: WarningKind; readonly path: FieldPath; readonly message: string }[];
  /** Whether the body turns reasoning on without an amount. */
  readonly turnsReasoningOn: boolean;
}
