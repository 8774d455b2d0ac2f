import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { type Choice, FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import {
  MediaDetail,
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  Role,
} from "../../gen/dragoman/v1/message_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import { decodeBase64, mediaSource } from "../kit/data-uri.ts";
import type { FieldNames } from "../kit/field-names.ts";
import { optional } from "../kit/parse-request.ts";

// What both APIs of Scale's EGP share: seeds 000, 001 and 003, and the message types of Scale's generated clients.

const details = { low: MediaDetail.LOW, high: MediaDetail.HIGH, auto: MediaDetail.AUTO } as const;
const detail = optional(z.enum(["low", "high", "auto"]));

const textPart = z.strictObject({ type: z.literal("text"), text: z.string() });
const imageUrlPart = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({ url: z.string(), detail }),
});
const imageDataPart = z.strictObject({
  type: z.literal("image_data"),
  image_data: z.strictObject({
    type: z.literal("base64"),
    media_type: z.string().regex(/^image\/[\w.+-]+$/, "must be the media type of an image, such as image/png"),
    data: z.string().transform((text, context) => {
      const bytes = decodeBase64(text);
      if (bytes !== undefined) return bytes;
      context.addIssue({ code: "custom", message: "must be base64" });
      return z.NEVER;
    }),
    detail,
  }),
});
const contentPart = z.discriminatedUnion("type", [textPart, imageUrlPart, imageDataPart]);

/** A message. Agents and tools have no place in these two APIs. */
export const messageSchema = z.preprocess(
  withRole,
  z.discriminatedUnion("role", [
    z.strictObject({
      role: z.literal("user"),
      content: z.union([z.string(), z.array(contentPart)], { error: "must be a string or a list of parts" }),
    }),
    z.strictObject({ role: z.literal("assistant"), content: z.string() }),
    z.strictObject({ role: z.literal("system"), content: z.string() }),
  ]),
);

/** Scale's generated clients need no role to be given: it is the default of each type of message, the user's first. */
function withRole(message: unknown): unknown {
  if (typeof message !== "object" || message === null || Array.isArray(message) || "role" in message) return message;
  return { role: "user", ...message };
}

const roles = { user: Role.USER, assistant: Role.ASSISTANT, system: Role.SYSTEM } as const;

export function toMessage({ role, content }: z.output<typeof messageSchema>): Message {
  const parts = typeof content === "string" ? [textOnly(content)] : content.map(toPart);
  return create(MessageSchema, { role: roles[role], parts });
}

function textOnly(text: string): Part {
  return create(PartSchema, { kind: { case: "text", value: text } });
}

function toPart(part: z.output<typeof contentPart>): Part {
  switch (part.type) {
    case "text":
      return textOnly(part.text);
    case "image_url": {
      const { url, detail: asked } = part.image_url;
      const value = { ...mediaSource(url), ...(asked && { detail: details[asked] }) };
      return create(PartSchema, { kind: { case: "media", value } });
    }
    case "image_data": {
      const { data, media_type: mediaType, detail: asked } = part.image_data;
      const source = { case: "data", value: data } as const;
      return create(PartSchema, {
        kind: { case: "media", value: { source, mediaType, ...(asked && { detail: details[asked] }) } },
      });
    }
    default:
      return part satisfies never;
  }
}

/** The names of what is in a message, when the list of messages is called `list`. */
export function messageFields(list: string): FieldNames {
  return {
    messages: list,
    "messages.*.parts": `${list}.*.content`,
    "messages.*.parts.*.media": `${list}.*.content.*`,
    "messages.*.parts.*.media.url": `${list}.*.content.*.image_url.url`,
    "messages.*.parts.*.media.data": `${list}.*.content.*.image_data.data`,
    "messages.*.parts.*.media.media_type": `${list}.*.content.*.image_data.media_type`,
  };
}

/**
 * What a choice says. Refusals are told as the text that they are: the answer would be empty without them. Thoughts
 * have no place in these APIs; their tokens count all the same.
 */
export function textOf({ message }: Pick<Choice, "message">): string {
  return (message?.parts ?? []).map(({ kind }) => sayOf(kind)).join("");
}

/** The text of a delta; empty for what these APIs do not tell. */
export function sayOf({ case: kind, value }: Part["kind"] | PartDelta["delta"]): string {
  return kind === "text" || kind === "refusal" ? value : "";
}

const finishReasons = {
  [FinishReason.UNSPECIFIED]: undefined,
  [FinishReason.STOP]: "stop",
  [FinishReason.LENGTH]: "length",
  [FinishReason.TOOL_CALLS]: "tool_calls",
  [FinishReason.CONTENT_FILTER]: "content_filter",
  // The field is free text: the provider's own word is better than none.
  [FinishReason.OTHER]: undefined,
} as const satisfies Record<FinishReason, string | undefined>;

export function finishReasonOf({
  finishReason,
  providerFinishReason,
}: Pick<Choice, "finishReason" | "providerFinishReason">): string {
  return finishReasons[finishReason] ?? (providerFinishReason || "other");
}

/**
 * The provider's counts, undefined where it gives none: seed 003 has 0 then, and Scale's generated clients have usage
 * only where the provider supports it. Neither API has a place to say that a number is an estimate.
 */
export function countsIn(usage: Usage | undefined): Usage | undefined {
  return usage?.quality === UsageQuality.ESTIMATED ? undefined : usage;
}
