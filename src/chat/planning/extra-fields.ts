import type { JsonObject } from "@bufbuild/protobuf";
import type { FieldPath } from "../../field-path.ts";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import type { WarningKind } from "./adaptations.ts";

/** Fields of a body of another HTTP API that ChatRequest has no field for. */
export interface ExtraFields {
  readonly fields: JsonObject;
  /**
   * Whether the documentation of some API has the field. Only APIs that have it get it; an unknown field goes to all.
   */
  readonly isDocumented: (name: string) => boolean;
  /** The only dialect whose providers get unknown fields. Undefined: all get them. */
  readonly dialect?: string;
  /** Body paths of fields inside messages and other fields that Dragoman leaves out. */
  readonly leftOut: readonly FieldPath[];
  /** What the translation of the body did differently, by body paths. Default: nothing. */
  readonly notes?: readonly { readonly reason: WarningKind; readonly path: FieldPath; readonly message: string }[];
  /** By the index of a tool, the tools of providers that do the same. Default: none. */
  readonly equivalentTools?: ReadonlyMap<number, EquivalentTools>;
  /** Fields of functions that FunctionTool lacks, for providers of `dialect`. Default: none. */
  readonly toolFields?: readonly ToolFields[];
  /** Whether the body turns reasoning on without an amount. */
  readonly turnsReasoningOn: boolean;
}

/** Fields of the function at an index of the tools. */
export interface ToolFields {
  readonly index: number;
  readonly fields: JsonObject;
}

/** Tools of several providers that do the same. */
interface EquivalentTools {
  readonly tools: readonly Tool[];
  /** Whether to leave the tool out at other providers, instead of rejecting the request. */
  readonly isOptional: boolean;
}
