import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Part, PartSchema } from "../../gen/dragoman/v1/message_pb.js";

// What a part has and Anthropic's blocks have no field for, such as the state of another provider, travels in fields
// that clients send back unchanged: the signature of a thinking block, and the data of a redacted_thinking block.

/**
 * What carried data belongs to. `own`: the thinking block that has it as its signature. `part`: the block stands for a
 * whole part. `next`, `previous`: the block after or before it.
 */
type Owner = "own" | "part" | "next" | "previous";

interface Carried {
  readonly owner: Owner;
  readonly part: Part;
}

const form = /^dragoman\.(own|part|next|previous)\.([\w-]*)$/;

/** Encodes the fields of a part as a signature or as redacted data. */
export function carry(owner: Owner, part: MessageInitShape<typeof PartSchema>): string {
  const bytes = toBinary(PartSchema, create(PartSchema, part));
  return `dragoman.${owner}.${Buffer.from(bytes).toString("base64url")}`;
}

/** Returns the block that carries the fields of a part. */
export function carrierBlock(owner: Exclude<Owner, "own">, part: MessageInitShape<typeof PartSchema>) {
  return { type: "redacted_thinking", data: carry(owner, part) } as const;
}

/** Decodes a signature or redacted data. Undefined: the text is not one that `carry` made. */
export function carried(text: string): Carried | undefined {
  const [, owner, data = ""] = form.exec(text) ?? [];
  if (!isOwner(owner)) return undefined;
  try {
    return { owner, part: fromBinary(PartSchema, Buffer.from(data, "base64url")) };
  } catch {
    return undefined;
  }
}

function isOwner(word: string | undefined): word is Owner {
  return word === "own" || word === "part" || word === "next" || word === "previous";
}
