import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { GatewayError } from "../../errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Warning, WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";

/** Something in a request that a model, in a provider's dialect, cannot do as asked. */
export interface Adaptation {
  /**
   * UNSUPPORTED_PARAMETER: the field is left out. ADJUSTED: it gets the value `set`. EMULATED: it stays, and is done
   * here. REJECTED: leaving it out would change what is asked too much (an image, a named tool), so it is always an error.
   */
  readonly kind: "UNSUPPORTED_PARAMETER" | "ADJUSTED" | "EMULATED" | "REJECTED";
  /** Path of the field in ChatRequest, such as `parameters.top_k`. */
  readonly field: string;
  /** One sentence: what cannot be done and by whom. */
  readonly message: string;
  /** The value that replaces the caller's, for ADJUSTED. */
  readonly set?: unknown;
}

/** A request as it will be sent, and what was changed in it. */
export interface LimitedRequest {
  readonly request: ChatRequest;
  readonly warnings: readonly Warning[];
}

/**
 * Applies adaptations to a copy of a request. With `strict_parameters`, or for what cannot be left out, throws one
 * error that names every field. Those of fields that nobody asked for (`defaulted`) are applied without a word. The
 * request given is never changed.
 */
export function applyAdaptations(
  request: ChatRequest,
  found: readonly Adaptation[],
  defaulted: ReadonlySet<string> = new Set(),
): LimitedRequest {
  if (found.length === 0) return { request, warnings: [] };
  const adaptations = strongest(found);
  const told = adaptations.filter(({ field }) => !defaulted.has(field));
  const errors = told.filter(({ kind }) => kind === "REJECTED" || (request.strictParameters && kind !== "EMULATED"));
  if (errors.length > 0) {
    throw new GatewayError("UNSUPPORTED_PARAMETER", errors.map(({ message }) => message).join("; "), {
      fields: errors.map(({ field, message }) => ({ field: `chat.${field}`, description: message })),
      metadata: { fields: errors.map(({ field }) => field).join(",") },
    });
  }
  // A shallow copy of what a path can reach: a request may hold megabytes of media.
  const copy: ChatRequest = { ...request };
  if (copy.parameters) copy.parameters = { ...copy.parameters };
  if (copy.reasoning) copy.reasoning = { ...copy.reasoning };
  for (const { kind, field, set } of adaptations) {
    if (kind !== "EMULATED") setField(ChatRequestSchema, copy, field.split("."), set);
  }
  return {
    request: copy,
    warnings: told.map(({ kind, field, message }) => create(WarningSchema, { reason: kind, field, message })),
  };
}

const strength = { REJECTED: 3, UNSUPPORTED_PARAMETER: 2, ADJUSTED: 1, EMULATED: 0 } as const satisfies Record<
  Adaptation["kind"],
  number
>;

/**
 * One adaptation for each field, where the catalog and the dialect both know one: the one that takes more away. Of what
 * is left out as a whole, its fields need no word.
 */
function strongest(found: readonly Adaptation[]): readonly Adaptation[] {
  const byField = new Map<string, Adaptation>();
  for (const adaptation of found) {
    const known = byField.get(adaptation.field);
    if (known === undefined || strength[adaptation.kind] > strength[known.kind])
      byField.set(adaptation.field, adaptation);
  }
  return [...byField.values()].filter(({ field }) => !isWithin(field, byField));
}

function isWithin(field: string, byField: ReadonlyMap<string, Adaptation>): boolean {
  const steps = field.split(".");
  return steps.some((_, end) => byField.get(steps.slice(0, end).join("."))?.kind === "UNSUPPORTED_PARAMETER");
}

/** Sets the field at a path, or clears it when the value is undefined. */
function setField(schema: DescMessage, message: Message, [name, ...rest]: readonly string[], value: unknown): void {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${schema.typeName} has no field ${name}`);
  const reflected = reflect(schema, message);
  if (rest.length > 0) {
    if (field.fieldKind !== "message") throw new Error(`${field.name} of ${schema.typeName} is no message`);
    if (reflected.isSet(field)) setField(field.message, reflected.get(field).message, rest, value);
  } else if (value === undefined) {
    reflected.clear(field);
  } else {
    reflected.set(field, value);
  }
}
