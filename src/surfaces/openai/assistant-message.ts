import { z } from "zod";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import { type FieldViolation, invalidRequest, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { jsonRecord } from "../kit/json-values.ts";
import { misspelledHint } from "../kit/property-hints.ts";
import { flag, text } from "../openai-shape/body.ts";
import { cacheMarks, contentOf, closedObject as object, partSchemas } from "../openai-shape/parts.ts";
import { outputMediaFields } from "../openai-shape/replayed-media.ts";
import { unreadNames } from "../openai-shape/unread-names.ts";
import { customCall } from "./custom-tools.ts";

const position = z.number().int().nonnegative();
const part = partSchemas(object, cacheMarks(object));
const content = contentOf(z.discriminatedUnion("type", [part.text, part.refusal, part.image_url]));

/** OpenRouter adds `content`, and clients that join the deltas of a stream keep `index`. */
const citation = z.looseObject({
  type: z.literal("url_citation"),
  url_citation: z.looseObject({
    url: z.string(),
    title: text,
    start_index: position.nullish(),
    end_index: position.nullish(),
    content: text,
  }),
});

/** Further types, such as OpenRouter's `file`, which Dragoman leaves out. */
const otherAnnotation = z.looseObject({
  type: z.string().refine((type) => type !== "url_citation", "must have the property url_citation"),
});

const annotations = z.array(z.union([citation, otherAnnotation], "must be an object with a type"));

/** Whether Dragoman reads an annotation. */
export function isCitation(annotation: object): annotation is z.output<typeof citation> {
  return "type" in annotation && annotation.type === "url_citation";
}

const called = { name: z.string(), arguments: text };
const toolCall = { id: z.string(), type: z.literal("function").nullish(), index: z.number().nullish() };

/** What Dragoman reads of an assistant message. */
const fields = {
  role: z.literal("assistant"),
  content: content.nullish(),
  name: text,
  refusal: text,
  // OpenAI has no such field, but Dragoman's responses do, and callers send the messages of responses back unchanged.
  reasoning_content: text,
  reasoning: text,
  tool_calls: z
    .array(z.discriminatedUnion("type", [z.looseObject({ ...toolCall, function: z.looseObject(called) }), customCall]))
    .nullish(),
  annotations: annotations.nullish(),
  ...outputMediaFields(object),
  // OpenAI's responses have this field. Callers send it back, so accept it if it is null.
  function_call: z.null("is not supported; use tool_calls").optional(),
  cache_control: cacheMarks(object).cache_control,
};

/** Fields of other APIs and of SDKs. */
const further = {
  /** OpenRouter's reasoning with signatures. */
  reasoning_details: z.array(jsonRecord).nullish(),
  /** Marks of DeepSeek and Mistral, and of Moonshot, for a last message to continue. */
  prefix: flag,
  partial: flag,
  /** The content as the OpenAI SDK parsed it. */
  parsed: z.unknown().optional(),
};

const written = object(fields);

/**
 * Assistant message. It usually is the message of a response of Dragoman, another gateway or an SDK, with fields of
 * their own: Dragoman accepts them, and names those that it leaves out.
 */
export const assistantMessage = object({ ...fields, ...further }).catchall(z.unknown());

interface Replayed {
  readonly role: string;
  readonly tool_calls?: readonly { readonly function: object }[] | null | undefined;
  readonly annotations?: readonly object[] | null | undefined;
}

/**
 * Returns the paths of what Dragoman leaves out of the assistant messages. Throws INVALID_REQUEST for a field that is
 * nearly one of an assistant message.
 */
export function readLeftOut(messages: readonly Replayed[]): ExtraFields["leftOut"] {
  const found: FieldPath[] = [];
  const wrong: FieldViolation[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role !== "assistant") continue;
    const at = ["messages", index];
    for (const name of unreadNames(message, { ...fields, ...further })) {
      const hint = wrong.length < mostViolations ? misspelledHint(written, name, {}) : undefined;
      if (hint === undefined) found.push([...at, name]);
      else wrong.push({ root: "body", field: [...at, name], description: `is not a property of this API; ${hint}` });
    }
    for (const [place, annotation] of (message.annotations ?? []).entries()) {
      if (!isCitation(annotation)) found.push([...at, "annotations", place]);
    }
    for (const [place, call] of (message.tool_calls ?? []).entries()) {
      const path = [...at, "tool_calls", place];
      for (const name of unreadNames(call, { ...toolCall, function: called })) found.push([...path, name]);
      // The SDK parsed the arguments, which Dragoman reads.
      const names = unreadNames(call.function, { ...called, parsed_arguments: undefined });
      for (const name of names) found.push([...path, "function", name]);
    }
  }
  if (wrong.length > 0) throw invalidRequest(wrong);
  return found;
}
