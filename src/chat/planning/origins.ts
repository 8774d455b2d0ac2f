import { GatewayError, invalidRequest } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { Message } from "../../gen/dragoman/v1/message_pb.js";

/** Indexes of the caller's message and of a part of it. */
export interface PartOrigin {
  readonly message: number;
  readonly part: number;
}

/** Where an outgoing message comes from. */
export interface MessageOrigin {
  /** Index of the caller's message. Undefined: Dragoman made it, of instructions or of the parts of other messages. */
  readonly message: number | undefined;
  /**
   * For each of its parts, the caller's parts whose text it has. None: Dragoman wrote it. All but its text is that of the
   * last one.
   */
  readonly parts: readonly (readonly PartOrigin[])[];
}

/** The origin of a message that is the caller's own. */
export function ownOrigin({ parts }: Message, message: number): MessageOrigin {
  return { message, parts: parts.map((_, part) => [{ message, part }]) };
}

/**
 * The caller's field for a field of the request as it goes out, in which instructions and memory have moved the messages.
 * `messages` for what Dragoman wrote. Other fields stay as they are.
 */
export function callersField(origins: readonly MessageOrigin[], field: FieldPath): FieldPath {
  const [list, index, inner, place, ...insidePart] = field;
  if (list !== "messages" || typeof index !== "number") return field;
  const origin = origins[index];
  if (inner === "parts" && typeof place === "number") {
    const own = origin?.parts[place]?.at(-1);
    return own ? ["messages", own.message, "parts", own.part, ...insidePart] : ["messages"];
  }
  return origin?.message === undefined ? ["messages"] : ["messages", origin.message, ...field.slice(2)];
}

/** An error about the request as it goes out, as one about the caller's. Anything else stays as it is. */
export function callersError(origins: readonly MessageOrigin[], thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError) || thrown.reason !== "INVALID_REQUEST") return thrown;
  const { fields } = thrown.facts;
  if (fields === undefined) return thrown;
  const own = fields.map((violation) => ({ ...violation, field: callersField(origins, violation.field) }));
  return thrown.with({ fields: own }, invalidRequest(own).message);
}

/** The caller's messages of which something goes out, in the caller's order. */
export function sentMessages(origins: readonly MessageOrigin[]): readonly number[] {
  return distinct(origins.flatMap(({ parts }) => parts.flat().map((own) => own.message)));
}

/** The caller's messages whose parts go out in another message, in the caller's order. */
export function mergedMessages(origins: readonly MessageOrigin[]): readonly number[] {
  return distinct(
    origins.flatMap(({ message, parts }) =>
      parts.flat().flatMap((own) => (own.message === message ? [] : own.message)),
    ),
  );
}

function distinct(indexes: readonly number[]): readonly number[] {
  return [...new Set(indexes)].sort((one, other) => one - other);
}
