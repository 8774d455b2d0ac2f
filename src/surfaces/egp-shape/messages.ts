import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { type Choice, FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, MessageSchema, type Part, PartSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import { decodeBase64, mediaSource } from "../kit/data-uri.ts";
import type { FieldNames } from "../kit/field-names.ts";
import { optional } from "../kit/parse-request.ts";

// Shared by the Scale EGP chat completions and deployments APIs. Source: their documents, and the message types of
// Scale's generated clients.

/** Schema and values of `reasoning_effort`. */
export const efforts = {
  low: ReasoningEffort.LOW,
  medium: ReasoningEffort.MEDIUM,
  high: ReasoningEffort.HIGH,
} as const;
export const effortSchema = optional(z.enum(["low", "medium", "high"]));

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
    type: optional(z.literal("base64")),
    media_type: z
      .string()
      .regex(/^image\/[\w.+-]+\s*(;.*)?$/i, "must be the media type of an image, such as image/png"),
    data: z.string().transform((text, context) => {
      const bytes = decodeBase64(text);
      if (bytes !== undefined) return bytes;
      context.addIssue({ code: "custom", message: "must be base64" });
      return z.NEVER;
    }),
    detail,
  }),
});
const contentPart = z.preprocess(withType, z.discriminatedUnion("type", [textPart, imageUrlPart, imageDataPart]));

/** Schema of a message. These two APIs do not support agents or tools. */
export const messageSchema = z.preprocess(
  withRole,
  z.discriminatedUnion("role", [
    z.strictObject({
      role: z.literal("user"),
      content: z.union([z.string(), z.array(contentPart).min(1)], { error: "must be a string or a list of parts" }),
    }),
    z.strictObject({ role: z.literal("assistant"), content: z.string() }),
    z.strictObject({ role: z.literal("system"), content: z.string() }),
  ]),
);

/** Sets a missing type of a part by its content. Scale's generated clients may omit the type (scale-gp 0.1.0a62). */
function withType(part: unknown): unknown {
  if (typeof part !== "object" || part === null || Array.isArray(part) || "type" in part) return part;
  const type = (["text", "image_url", "image_data"] as const).find((name) => name in part);
  return type === undefined ? part : { type, ...part };
}

/**
 * Sets a missing role to `user`. Scale's generated clients may omit the role; the first type in their union of messages
 * is the user message.
 */
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
      const { url, detail: name } = part.image_url;
      const value = { ...mediaSource(url), ...(name && { detail: details[name] }) };
      return create(PartSchema, { kind: { case: "media", value } });
    }
    case "image_data": {
      const { data, media_type: mediaType, detail: name } = part.image_data;
      const source = { case: "data", value: data } as const;
      return create(PartSchema, {
        kind: { case: "media", value: { source, mediaType, ...(name && { detail: details[name] }) } },
      });
    }
    default:
      return part satisfies never;
  }
}

/** Returns the names of message fields. `list` is the API's name for the list of messages. */
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
 * Returns the text of a choice. Refusals are included, since the response would be empty without them. Reasoning
 * is not included, since these APIs have no field for it; its tokens are still part of the usage.
 */
export function textOf({ message }: Pick<Choice, "message">): string {
  return (message?.parts ?? []).map(({ kind }) => sayOf(kind)).join("");
}

/** Returns the text of a part or delta; empty for kinds that these APIs do not support. */
export function sayOf({ case: kind, value }: Part["kind"] | PartDelta["delta"]): string {
  return kind === "text" || kind === "refusal" ? value : "";
}

const finishReasons = {
  [FinishReason.UNSPECIFIED]: undefined,
  [FinishReason.STOP]: "stop",
  [FinishReason.LENGTH]: "length",
  [FinishReason.TOOL_CALLS]: "tool_calls",
  [FinishReason.CONTENT_FILTER]: "content_filter",
  // Undefined selects the provider's finish reason, since the field of these APIs may be any text.
  [FinishReason.OTHER]: undefined,
} as const satisfies Record<FinishReason, string | undefined>;

export function finishReasonOf({
  finishReason,
  providerFinishReason,
}: Pick<Choice, "finishReason" | "providerFinishReason">): string {
  return finishReasons[finishReason] ?? (providerFinishReason || "other");
}

/** Fields of a response of the deployments API. `completions` is a list of pairs: a prompt and its texts. */
export function completionOf(
  prompt: string,
  texts: readonly string[],
  finishReason: string | null,
  usage: Usage | undefined,
) {
  const counted = countsIn(usage);
  return {
    completions: [[prompt, texts]],
    finish_reason: finishReason,
    prompt_tokens: counted?.inputTokens ?? 0,
    response_tokens: counted?.outputTokens ?? 0,
  };
}

/**
 * Returns the provider's counts; undefined for estimates, since neither API can mark a count as an estimate. Without
 * counts, the Scale EGP deployments API returns 0; in the other API, usage is optional in Scale's generated clients.
 */
export function countsIn(usage: Usage | undefined): Usage | undefined {
  return usage?.quality === UsageQuality.ESTIMATED ? undefined : usage;
}
