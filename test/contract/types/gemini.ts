// Compile-time check: request bodies must match the types of @google/genai 3.1.0.
import type { Content, GenerationConfig, ServiceTier, Tool, ToolConfig } from "@google/genai";
import type { GenerateContentBody } from "../../../src/providers/generate-content/wire.ts";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";

/** A body type as the vendor declares it: ExactJson becomes an object, and nothing is readonly. */
type OnWire<T> = T extends ExactJson
  ? Record<string, unknown>
  : T extends readonly (infer Item)[]
    ? OnWire<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: OnWire<T[Key]> }
      : T;

/** A vendor type with string literals instead of enums. */
type Words<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Words<Item>[]
    : T extends object
      ? { [Key in keyof T]: Words<T[Key]> }
      : T;

/** The request body, built from the vendor's types: the client declares the fields, but not the body. */
interface VendorBody {
  contents: Words<Content>[];
  systemInstruction?: Words<Content>;
  tools?: Words<Tool>[];
  toolConfig?: Words<ToolConfig>;
  generationConfig?: Words<GenerationConfig>;
  serviceTier?: Words<ServiceTier>;
}

// Omits `serviceTier`: the adapter sends the caller's text unchanged, so that new tiers need no new release.
export const accepted = (body: OnWire<Omit<GenerateContentBody, "serviceTier">>): VendorBody => body;

// TypeScript allows extra keys in the assignment above, so this checks that the vendor declares every key.
type Unknown<Ours, Theirs> = Exclude<keyof Ours, keyof Theirs>;
export const unknownFields: [
  Unknown<GenerateContentBody, VendorBody>,
  Unknown<NonNullable<GenerateContentBody["generationConfig"]>, GenerationConfig>,
] extends [never, never]
  ? true
  : false = true;
