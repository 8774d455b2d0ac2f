import type { MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages/messages";
import type { toRequest } from "../../../src/providers/anthropic/request.ts";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";

// Compile-time check: request bodies must match the types of the vendor's client (@anthropic-ai/sdk 1.11.0).
//
// The client's types lack temperature, top_p and top_k, because the client requests API version 2026-10-21, which
// rejects them. The adapter requests version 2023-06-01, which supports them on models before Opus 4.7.

/**
 * A body type as the vendor declares it: ExactJson becomes an object, and nothing is readonly. Not checked: items of
 * lists that are ExactJson. These are blocks and citations as the API sent them, and tools as the caller wrote them.
 */
type OnWire<T> = T extends ExactJson
  ? { type: "object"; [key: string]: unknown }
  : T extends readonly (infer Item)[]
    ? OnWire<Exclude<Item, ExactJson>>[]
    : T extends object
      ? { -readonly [Key in keyof T]: OnWire<T[Key]> }
      : T;

type Body = OnWire<ReturnType<typeof toRequest>>;

export const accept = (body: Body): MessageCreateParamsStreaming => body;

/** Fields of the body that the client does not declare. Any other undeclared field is a mistake. */
type Undeclared = Exclude<keyof Body, keyof MessageCreateParamsStreaming>;
export const undeclared = ["temperature", "top_p", "top_k"] as const satisfies readonly Undeclared[];
export const noOther: Exclude<Undeclared, (typeof undeclared)[number]> extends never ? true : false = true;
