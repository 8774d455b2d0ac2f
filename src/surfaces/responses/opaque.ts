import { createHash } from "node:crypto";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Message, MessageSchema, type Part, type PartSchema, Role } from "../../gen/dragoman/v1/message_pb.js";

export type PartInit = Exclude<MessageInitShape<typeof PartSchema>, Part>;

/**
 * Beginning of `encrypted_content` that Dragoman made. The rest is a Message of the contract in base64: clients of this
 * API return reasoning items unchanged, so they carry what the other items have no field for.
 */
const mark = "dragoman1.";

/** `Message.name` of references: provider state and citations of other items, each by the key of its part. */
const referenceName = "references";

/** Content of `encrypted_content` that Dragoman made. */
interface Opaque {
  readonly parts: readonly PartInit[];
  /** Whether the parts are references. Otherwise they are whole parts, in the place of the reasoning item. */
  readonly areReferences: boolean;
}

/** Encodes whole parts. */
export function encodeParts(parts: readonly PartInit[]): string {
  return encode(parts, "");
}

/** Encodes references, which `keyPart` made. */
export function encodeReferences(parts: readonly PartInit[]): string {
  return encode(parts, referenceName);
}

function encode(parts: readonly PartInit[], name: string): string {
  const message = create(MessageSchema, { role: Role.ASSISTANT, name, parts: [...parts] });
  return mark + Buffer.from(toBinary(MessageSchema, message)).toString("base64");
}

/** Whether Dragoman made an `encrypted_content`. */
export function isOwn(encrypted: string): boolean {
  return encrypted.startsWith(mark);
}

/** Decodes an `encrypted_content` that Dragoman made. Undefined: somebody has changed it. */
export function decodeOpaque(encrypted: string): Opaque | undefined {
  try {
    const { parts, name }: Message = fromBinary(MessageSchema, Buffer.from(encrypted.slice(mark.length), "base64"));
    const isForged = parts.some(({ kind }) => kind.case === "toolResult" || kind.case === "searchResult");
    return isForged ? undefined : { parts: parts.map(toInit), areReferences: name === referenceName };
  } catch {
    return undefined;
  }
}

function toInit({ kind, providerState, citations }: Part): PartInit {
  return { kind, citations, ...(providerState && { providerState }) };
}

/**
 * Returns the kind of a reference to a part: the id of a tool call, or a hash of a text or an image. Clients keep these,
 * but may drop the ids of items and the order of reasoning items. Undefined: the part has no item.
 */
export function keyPart(kind: PartInit["kind"]): PartInit["kind"] {
  switch (kind?.case) {
    case "text":
    case "refusal":
      return { case: kind.case, value: hashOf(kind.value) };
    case "toolCall":
      return { case: "toolCall", value: { id: kind.value.id ?? "" } };
    case "media":
      return kind.value.source?.case === "data"
        ? { case: "media", value: { filename: hashOf(kind.value.source.value) } }
        : undefined;
    default:
      return undefined;
  }
}

/** Returns a key of a map for the kind that `keyPart` returns. */
export function keyText(kind: PartInit["kind"]): string {
  switch (kind?.case) {
    case "text":
    case "refusal":
      return `${kind.case} ${kind.value}`;
    case "toolCall":
      return `call ${kind.value.id}`;
    case "media":
      return `media ${kind.value.filename}`;
    default:
      return "";
  }
}

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64").slice(0, 22);
}
