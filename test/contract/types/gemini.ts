// What is sent, held to the types of @google/genai 3.1.0 at compile time.
import type { Content, GenerationConfig, ServiceTier, Tool, ToolConfig } from "@google/genai";
import type { GenerateContentBody } from "../../../src/providers/generate-content/wire.ts";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";

/** Our types as they are on the wire: JSON text is the value that it means, and nobody changes what was sent. */
type OnWire<T> = T extends ExactJson
  ? Record<string, unknown>
  : T extends readonly (infer Item)[]
    ? OnWire<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: OnWire<T[Key]> }
      : T;

/** The vendor's types with the words of its enums instead of the enums. */
type Words<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Words<Item>[]
    : T extends object
      ? { [Key in keyof T]: Words<T[Key]> }
      : T;

/** The body as the vendor's client would build it: it declares the pieces, and not the whole. */
interface VendorBody {
  contents: Words<Content>[];
  systemInstruction?: Words<Content>;
  tools?: Words<Tool>[];
  toolConfig?: Words<ToolConfig>;
  generationConfig?: Words<GenerationConfig>;
  serviceTier?: Words<ServiceTier>;
}

// `serviceTier` goes out in the caller's own word, so that a new one needs no new release: left out of the comparison.
export const accepted = (body: OnWire<Omit<GenerateContentBody, "serviceTier">>): VendorBody => body;

// A field that the vendor does not know would pass as an object of a wider type: no key may be ours alone.
type Unknown<Ours, Theirs> = Exclude<keyof Ours, keyof Theirs>;
export const unknownFields: [
  Unknown<GenerateContentBody, VendorBody>,
  Unknown<NonNullable<GenerateContentBody["generationConfig"]>, GenerationConfig>,
] extends [never, never]
  ? true
  : false = true;
