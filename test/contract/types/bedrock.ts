import type { ContentBlock, ConverseStreamRequest } from "@aws-sdk/client-bedrock-runtime";
import type { Block, ConverseBody } from "../../../src/providers/bedrock/wire.ts";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";

// Compile-time check: request bodies must match the types of Amazon's client (3.1162.0). Its types describe values
// before serialization: bytes are Uint8Array there and base64 text here, and schemas and tool inputs are any document.

type Document = NonNullable<ConverseStreamRequest["additionalModelRequestFields"]>;

/** A client type after serialization. A document may be any JSON value. */
type Wire<T> = [Document] extends [T] ? unknown : Written<T>;
type Written<T> = T extends Uint8Array ? string : T extends object ? { readonly [Key in keyof T]: Wire<T[Key]> } : T;

// The model ID is in the path.
type Body = Wire<Omit<ConverseStreamRequest, "modelId">>;

/**
 * A body without the items of lists that are ExactJson: blocks and citations as Bedrock sent them, and tools as the
 * caller wrote them.
 */
type Checked<T> = T extends readonly (infer Item)[]
  ? readonly Checked<Exclude<Item, ExactJson>>[]
  : T extends object
    ? { readonly [Key in keyof T]: Checked<T[Key]> }
    : T;

export function isBody(body: Checked<ConverseBody>): Body {
  return body;
}

export function isBlock(block: Checked<Exclude<Block, ExactJson>>): Wire<ContentBlock> {
  return block;
}

// Bodies that the client would reject must not compile. This proves that the comparison above has an effect.
// @ts-expect-error: the `content` of a tool result is a list.
export const badResult: Wire<ContentBlock> = { toolResult: { toolUseId: "a", content: "sunny" } };
// @ts-expect-error: a system prompt is a list of blocks.
export const badSystem: Body = { system: "Be brief." };
// @ts-expect-error: the format `tiff` does not exist.
export const badImage: Wire<ContentBlock> = { image: { format: "tiff", source: { bytes: "" } } };
