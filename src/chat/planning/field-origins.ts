import { GatewayError, invalidRequest } from "../../errors.ts";
import type { Message } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation } from "./adaptations.ts";

interface Place {
  readonly message: number;
  readonly part: number;
}

/**
 * Where the caller has what goes out. Instructions, memory and roles move messages and parts, so that a field of the
 * messages as they go out, such as `messages[2].parts[0].media`, is another one of the caller's.
 */
export class FieldOrigins {
  readonly #asked: readonly Message[];
  readonly #sent: readonly Message[];
  #places: ReadonlyMap<unknown, Place> | undefined;

  constructor(asked: readonly Message[], sent: readonly Message[]) {
    this.#asked = asked;
    this.#sent = sent;
  }

  /** The caller's field; `messages` for what the caller did not write. Other fields stay as they are. */
  field(sent: string): string {
    const [, before, index, part, rest = ""] =
      /^((?:chat\.)?messages)\[(\d+)\](?:\.parts\[(\d+)\])?(.*)$/.exec(sent) ?? [];
    if (before === undefined) return sent;
    const parts = this.#sent[Number(index)]?.parts ?? [];
    // What is put before a turn's own parts is somebody else's.
    this.#places ??= placesOf(this.#asked);
    const place = this.#places.get((part === undefined ? parts.at(-1) : parts[Number(part)])?.kind);
    if (place === undefined) return before;
    return `${before}[${place.message}]${part === undefined ? "" : `.parts[${place.part}]`}${rest}`;
  }

  adaptation(sent: Adaptation): Adaptation {
    return { ...sent, field: this.field(sent.field) };
  }

  /** What is thrown about the messages as they go out, about the caller's. */
  error(thrown: unknown): unknown {
    if (!(thrown instanceof GatewayError) || thrown.reason !== "INVALID_REQUEST") return thrown;
    const { fields } = thrown.facts;
    if (fields === undefined) return thrown;
    const own = fields.map((violation) => ({ ...violation, field: this.field(violation.field) }));
    return thrown.with({ fields: own }, invalidRequest(own).message);
  }
}

/** By the inside of each part: messages and parts are copied on the way, that is not. */
function placesOf(messages: readonly Message[]): ReadonlyMap<unknown, Place> {
  return new Map(
    messages.flatMap(({ parts }, message) => parts.map(({ kind }, part) => [kind, { message, part }] as const)),
  );
}
