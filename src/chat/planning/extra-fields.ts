import type { JsonObject } from "@bufbuild/protobuf";

/** Fields of a body of another HTTP API that ChatRequest has no field for. */
export interface ExtraFields {
  readonly fields: JsonObject;
  /** Whether the documentation of some API has the field. Only APIs that have it get it; an unknown field goes to all. */
  readonly isDocumented: (name: string) => boolean;
  /** Whether the body turns reasoning on without an amount. */
  readonly turnsReasoningOn: boolean;
}
