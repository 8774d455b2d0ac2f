import { z } from "zod";
import type { WireToolCall } from "../chat-completions/wire.ts";
import type { ExactJson } from "../kit/exact-json.ts";
import { isNumber, plainList } from "../kit/plain-list.ts";

// Response schemas, with only the fields that Dragoman reads.
// Source: cohere-ai 8.1.0, serialization/types/{Chat*Event*,Usage,LogprobItem}.d.ts.

const text = z.string().nullish();

// Keeps unknown fields, which become metadata.
const content = z.looseObject({ text, thinking: text });
const toolCall = z.object({
  id: text.catch(undefined),
  // The arguments are text, or at some proxies JSON.
  function: z.object({ name: text, arguments: z.unknown().optional() }).nullish(),
});

const message = z.object({
  // `content` and `tool_calls` are empty lists in the event message-start, and one object in all other events.
  content: z.union([content, z.array(z.unknown())]).nullish(),
  tool_calls: z.union([toolCall, z.array(z.unknown())]).nullish(),
  tool_plan: text,
  // One object in the event citation-start; an empty list in message-start.
  citations: z.unknown().optional(),
});

/** Event of a stream. Its `type` is also the name of the server-sent event. */
export const eventSchema = z.object({
  type: z.string(),
  id: text.catch(undefined),
  index: z.number().int().nonnegative().nullish(),
  delta: z
    .object({
      message: message.nullish(),
      finish_reason: text,
      error: text.catch(undefined),
      // Read by usage.ts.
      usage: z.unknown().optional(),
    })
    .nullish(),
  logprobs: z
    .object({ text, logprobs: plainList(isNumber).nullish() })
    .nullish()
    .catch(undefined),
});

export type CohereEvent = z.infer<typeof eventSchema>;

// Request types.

export interface TextContent {
  readonly type: "text";
  readonly text: string;
}

export interface ImageContent {
  readonly type: "image_url";
  readonly image_url: { readonly url: string; readonly detail?: "auto" | "low" | "high" };
}

export interface ThinkingContent {
  readonly type: "thinking";
  readonly thinking: string;
}

export interface WireDocument {
  readonly data: Readonly<Record<string, string>>;
}

interface DocumentContent {
  readonly type: "document";
  readonly document: WireDocument;
}

export type ToolContent = TextContent | DocumentContent;

export type WireMessage =
  | { readonly role: "system"; readonly content: string | readonly TextContent[] }
  | { readonly role: "user"; readonly content: string | readonly (TextContent | ImageContent)[] }
  | {
      readonly role: "assistant";
      readonly content?: string | readonly (TextContent | ThinkingContent)[];
      readonly tool_calls?: readonly WireToolCall[];
      readonly tool_plan?: string;
      readonly citations?: readonly Readonly<Record<string, unknown>>[];
    }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string | readonly ToolContent[] };

export interface WireTool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description?: string; readonly parameters: ExactJson };
}

/** Request body. The index signature covers the fields of `cohereFields` and the provider options. */
export interface CohereBody {
  readonly model: string;
  readonly messages: readonly WireMessage[];
  readonly stream: true;
  readonly tools?: readonly WireTool[];
  readonly strict_tools?: true;
  readonly tool_choice?: "REQUIRED" | "NONE";
  readonly documents?: readonly WireDocument[];
  readonly citation_options?: { readonly mode: "OFF" };
  readonly response_format?: { readonly type: "json_object"; readonly json_schema?: ExactJson };
  readonly thinking?: { readonly type: "enabled" | "disabled"; readonly token_budget?: number };
  readonly [field: string]: unknown;
}
