import { z } from "zod";
import { toolCallSchema, type WireToolCall } from "../chat-completions/wire.ts";

// Response schemas. Source: @mistralai/mistralai 2.7.0, esm/models/components/{deltamessage,thinkchunk,usageinfo}.d.ts.

const text = z.string().nullish();

// Keep unknown fields, which become metadata.
const contentChunk = z.looseObject({
  type: text,
  text,
  thinking: z.union([z.string(), z.array(z.looseObject({ text }))]).nullish(),
  signature: text,
});

const message = z.looseObject({
  content: z.union([z.string(), z.array(contentChunk)]).nullish(),
  tool_calls: z.array(toolCallSchema).nullish(),
});

const choice = z.looseObject({
  index: z.number().int().nonnegative().nullish(),
  // A chunk has `delta`; a response without streaming has `message`.
  delta: message.nullish(),
  message: message.nullish(),
  finish_reason: text,
});

/** Chunk of a stream, or a response without streaming. `choices` is required, since an error does not have it. */
export const answerSchema = z.looseObject({
  id: text,
  choices: z.array(choice),
  // The counts are read by chat-completions/usage.ts.
  usage: z
    .looseObject({ service_tier: text.catch(undefined) })
    .nullish()
    .catch(undefined),
});

export type AnswerChoice = z.infer<typeof choice>;
export type AnswerContent = z.infer<typeof contentChunk>;

// Request types.

/** Reference to documents, at its place in the text. */
export interface ReferenceChunk {
  readonly type: "reference";
  readonly reference_ids: readonly (string | number)[];
}

export type ContentChunk =
  | ReferenceChunk
  | { readonly type: "file"; readonly file_id: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string; readonly detail?: string } }
  | { readonly type: "input_audio"; readonly input_audio: string }
  | { readonly type: "document_url"; readonly document_url: string; readonly document_name?: string }
  | {
      readonly type: "thinking";
      readonly thinking: readonly { readonly type: "text"; readonly text: string }[];
      readonly signature?: string;
      readonly closed: true;
    };

export type WireMessage =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string | readonly ContentChunk[] }
  | {
      readonly role: "assistant";
      readonly content: string | readonly ContentChunk[];
      readonly tool_calls?: readonly WireToolCall[];
      readonly prefix?: true;
    }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };
