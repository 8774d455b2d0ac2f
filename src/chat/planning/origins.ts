import { GatewayError, invalidRequest } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { Message } from "../../gen/dragoman/v1/message_pb.js";

/**
 * Position of a part in the caller's request: the index of its message, its index in the message and, for a part of a
 * tool result, its index there; or the field `instructions`.
 */
export type PartOrigin =
  | "instructions"
  | { readonly message: number; readonly part: number; readonly result?: number | undefined };

/** Source of an outgoing message in the caller's request. */
export interface MessageOrigin {
  /**
   * Index of the caller's message. Undefined if Dragoman made the message from instructions or parts of other messages.
   */
  readonly message: number | undefined;
  /**
   * For each outgoing part, the caller's parts whose text it contains; empty if Dragoman wrote the text. Everything
   * except the text comes from the last of these parts.
   */
  readonly parts: readonly (readonly PartOrigin[])[];
}

/** Returns the origin of a message that is unchanged from the caller's request. */
export function ownOrigin({ parts }: Message, message: number): MessageOrigin {
  return { message, parts: parts.map((_, part) => [{ message, part }]) };
}

/**
 * Maps a field of the outgoing request to the caller's field: instructions and memory change the indexes of messages.
 * Returns `messages` for text that Dragoman wrote, and `instructions` for that field's text. Returns fields outside
 * `messages` unchanged.
 */
export function callersField(origins: readonly MessageOrigin[], field: FieldPath): FieldPath {
  const [list, index, inner, place, ...insidePart] = field;
  if (list !== "messages" || typeof index !== "number") return field;
  const origin = origins[index];
  if (inner === "parts" && typeof place === "number") {
    const source = origin?.parts[place]?.at(-1);
    if (source === "instructions") return ["instructions"];
    if (source === undefined) return ["messages"];
    const inResult = source.result === undefined ? [] : ["tool_result", "parts", source.result];
    return ["messages", source.message, "parts", source.part, ...inResult, ...insidePart];
  }
  if (origin?.message !== undefined) return ["messages", origin.message, ...field.slice(2)];
  return origin?.parts.flat().at(-1) === "instructions" ? ["instructions"] : ["messages"];
}

/** Maps the fields of an INVALID_REQUEST error to the caller's fields. Returns any other error unchanged. */
export function callersError(origins: readonly MessageOrigin[], thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError) || thrown.reason !== "INVALID_REQUEST") return thrown;
  const { fields } = thrown.facts;
  if (fields === undefined) return thrown;
  const mapped = fields.map((violation) => ({ ...violation, field: callersField(origins, violation.field) }));
  return thrown.with({ fields: mapped }, invalidRequest(mapped).message);
}

/** Returns the indexes of the caller's messages of which at least one part is sent, in ascending order. */
export function sentMessages(origins: readonly MessageOrigin[]): readonly number[] {
  return distinct(origins, () => true);
}

/** Returns the indexes of the caller's messages whose parts are sent in another message, in ascending order. */
export function mergedMessages(origins: readonly MessageOrigin[]): readonly number[] {
  return distinct(origins, (source, sent) => source !== sent);
}

function distinct(
  origins: readonly MessageOrigin[],
  matches: (source: number, sent: number | undefined) => boolean,
): readonly number[] {
  const indexes = new Set<number>();
  for (const { message: sent, parts } of origins) {
    for (const sources of parts) {
      for (const source of sources) {
        if (source === "instructions" || source.result !== undefined) continue;
        if (matches(source.message, sent)) indexes.add(source.message);
      }
    }
  }
  return [...indexes].sort((one, other) => one - other);
}
