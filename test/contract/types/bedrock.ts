import type { ContentBlock, ConverseStreamRequest } from "@aws-sdk/client-bedrock-runtime";
import type { Block, ConverseBody } from "../../../src/providers/bedrock/wire.ts";

// Compiled, never run: what is sent must be what Amazon's own client would take (3.1162.0). Its types describe values
// before it writes them, so bytes are Uint8Array there and base64 here, and a schema or tool's input is any document.

type Document = NonNullable<ConverseStreamRequest["additionalModelRequestFields"]>;

/** Where the client has a document, anything that becomes JSON. */
type Wire<T> = [Document] extends [T] ? unknown : Written<T>;
type Written<T> = T extends Uint8Array ? string : T extends object ? { readonly [Key in keyof T]: Wire<T[Key]> } : T;

// The path carries the model.
type Body = Wire<Omit<ConverseStreamRequest, "modelId">>;

export function isBody(body: ConverseBody): Body {
  return body;
}

export function isBlock(block: Block): Wire<ContentBlock> {
  return block;
}

// And what the client would reject is rejected here, so that the comparison above compares something.
// @ts-expect-error: `content` of a tool's result is a list.
export const badResult: Wire<ContentBlock> = { toolResult: { toolUseId: "a", content: "sunny" } };
// @ts-expect-error: a system prompt is a list of blocks.
export const badSystem: Body = { system: "Be brief." };
// @ts-expect-error: there is no such format.
export const badImage: Wire<ContentBlock> = { image: { format: "tiff", source: { bytes: "" } } };
