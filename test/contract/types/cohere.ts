// Compile-time check: request bodies must match the types of the vendor's SDK (cohere-ai 8.1.0). The SDK's types have
// camelCase keys, so this file converts the keys of the body to camelCase.
import type { Cohere } from "cohere-ai";
import type { cohereFields } from "../../../src/providers/cohere/fields.ts";
import type { CohereBody, WireMessage, WireTool } from "../../../src/providers/cohere/wire.ts";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";
import type { Assignable } from "./assignable.ts";

type Vendor = Cohere.V2ChatStreamRequest;

type CamelKey<Key> = Key extends `${infer Head}_${infer Rest}` ? `${Head}${Capitalize<CamelKey<Rest>>}` : Key;

/** A type with the SDK's keys and without readonly modifiers. ExactJson becomes an object. */
type Camel<Type> = Type extends ExactJson
  ? Record<string, unknown>
  : Type extends readonly (infer Item)[]
    ? Camel<Item>[]
    : Type extends object
      ? { -readonly [Key in keyof Type as CamelKey<Key>]: Camel<Type[Key]> }
      : Type;

export const messages: Assignable<Camel<WireMessage>, Cohere.ChatMessageV2> = true;
export const tools: Assignable<Camel<WireTool>, Cohere.ToolV2> = true;
export const toolChoice: Assignable<NonNullable<CohereBody["tool_choice"]>, NonNullable<Vendor["toolChoice"]>> = true;
export const thinking: Assignable<Camel<NonNullable<CohereBody["thinking"]>>, Cohere.Thinking> = true;
export const format: Assignable<Camel<NonNullable<CohereBody["response_format"]>>, Cohere.ResponseFormatV2> = true;
export const documents: Assignable<
  Camel<NonNullable<CohereBody["documents"]>>,
  NonNullable<Vendor["documents"]>
> = true;
export const citations: Assignable<Camel<NonNullable<CohereBody["citation_options"]>>, Cohere.CitationOptions> = true;

/** Every field name that the adapter sends is a field of the SDK's request type. */
export const names: Assignable<CamelKey<(typeof cohereFields)[keyof typeof cohereFields]>, keyof Vendor> = true;
