import type { MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages/messages";
import type { toRequest } from "../../../src/providers/anthropic/request.ts";
import type { ExactJson } from "../../../src/providers/kit/exact-json.ts";

// Checked by the compiler alone: what is sent is what the vendor's own client (@anthropic-ai/sdk 1.11.0) declares.
//
// The client's types lack temperature, top_p and top_k, since it asks for version 2026-10-21, which rejects them. The
// version that is asked for here, 2023-06-01, has them on models before Opus 4.7.

/** A body as it arrives: exact JSON is an object there, and nothing is read-only. */
type OnWire<T> = T extends ExactJson
  ? { type: "object"; [key: string]: unknown }
  : T extends readonly (infer Item)[]
    ? OnWire<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: OnWire<T[Key]> }
      : T;

type Body = OnWire<ReturnType<typeof toRequest>>;

export const accept = (body: Body): MessageCreateParamsStreaming => body;

/** Fields of the body that the client does not declare. Another one here is a mistake. */
type Undeclared = Exclude<keyof Body, keyof MessageCreateParamsStreaming>;
export const undeclared = ["temperature", "top_p", "top_k"] as const satisfies readonly Undeclared[];
export const noOther: Exclude<Undeclared, (typeof undeclared)[number]> extends never ? true : false = true;
