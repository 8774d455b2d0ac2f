import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import { encodeDetails, type ReasoningDetail } from "../../chat/stream/reasoning-details.ts";
import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { FieldPath } from "../../field-path.ts";
import type { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, type MessageSchema, type PartSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import { mediaSource } from "../kit/data-uri.ts";
import { type BodyPart, type Markable, type ObjectOf, toAudioType, toCacheHint, toDetail } from "./parts.ts";
import { type BodyOutputMedia, replayedMedia } from "./replayed-media.ts";

type Content = string | readonly BodyPart[] | null | undefined;

/** Message with the fields of all APIs of this shape; the schema of each API limits them. */
export interface BodyMessage extends Markable, BodyOutputMedia {
  readonly role: keyof typeof roles;
  readonly content?: Content;
  readonly name?: string | null | undefined;
  readonly reasoning?: Content;
  readonly reasoning_content?: Content;
  readonly refusal?: string | null | undefined;
  readonly tool_calls?: readonly BodyToolCall[] | null | undefined;
  readonly tool_call_id?: string | undefined;
  readonly annotations?: readonly (BodyAnnotation | { readonly type: string })[] | null | undefined;
  readonly reasoning_details?: readonly ReasoningDetail[] | null | undefined;
  readonly prefix?: boolean | null | undefined;
  readonly partial?: boolean | null | undefined;
}

/** OpenAI's annotation of a web page. Positions are in characters; 0 to 0 means that there is none. */
interface BodyAnnotation {
  readonly url_citation: {
    readonly url: string;
    readonly title?: string | null | undefined;
    readonly start_index?: number | null | undefined;
    readonly end_index?: number | null | undefined;
    readonly content?: string | null | undefined;
  };
}

interface BodyToolCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments?: string | null | undefined };
}

const roles = {
  system: Role.SYSTEM,
  developer: Role.DEVELOPER,
  user: Role.USER,
  assistant: Role.ASSISTANT,
  tool: Role.TOOL,
} as const;

/** Makes the schema of an assistant message's `tool_calls`. `more` are further properties of a tool call. */
export function toolCallsSchema<More extends z.ZodRawShape>(object: ObjectOf, more: More) {
  const called = object({ name: z.string(), arguments: z.string() });
  return z
    .array(object({ id: z.string(), type: z.literal("function").optional(), function: called, ...more }))
    .nullish();
}

type MessageInit = Exclude<MessageInitShape<typeof MessageSchema>, Message>;
type PartInit = Exclude<MessageInitShape<typeof PartSchema>, Message["parts"][number]>;

/** A part, and the path in the body's message from which it was read. */
interface ReadPart {
  readonly part: PartInit;
  readonly place: FieldPath;
  /** Path of the media's URL below `place`. Undefined: the part has none. */
  readonly url?: FieldPath | undefined;
}

/** A translated message. */
export interface ReadMessage {
  readonly message: MessageInit;
  /** For each part, the path in the body's message from which it was read, such as `["content", 1]`. */
  readonly places: readonly FieldPath[];
  /** For each part, the path of its URL below its place. Undefined: the part has none. */
  readonly urls: readonly (FieldPath | undefined)[];
}

/** Whether a message has the mark of an assistant message that the response continues. */
export function isToContinue(message: BodyMessage | undefined): boolean {
  return message?.role === "assistant" && (message.prefix === true || message.partial === true);
}

/** Returns the function name of each tool call, by its id. */
export function namesOfCalls(messages: readonly BodyMessage[]): ReadonlyMap<string, string> {
  return new Map(
    messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map(({ id, function: { name } }) => [id, name])),
  );
}

interface MessageOptions {
  /** Level of detail for images without one. */
  readonly imageDetail?: MediaDetail;
  /** Provider of `reasoning_details`. */
  readonly detailsProvider?: string;
}

/** Translates a message. `calledNames` has the function name of each tool call. */
export function toMessage(
  message: BodyMessage,
  { imageDetail, detailsProvider }: MessageOptions,
  calledNames: ReadonlyMap<string, string>,
): ReadMessage {
  const placed: readonly ReadPart[] =
    message.role === "tool"
      ? [toolResult(message)]
      : [
          ...reasoningParts(message, detailsProvider),
          ...spokenParts(message, imageDetail),
          ...replayedMedia(message),
          ...callParts(message),
        ];
  const parts = placed.map(({ part }) => part);
  const last = parts.at(-1);
  const cacheHint = toCacheHint(message);
  if (last !== undefined && cacheHint !== undefined) parts[parts.length - 1] = { ...last, cacheHint };
  // The name of a tool message usually repeats that of the call, which every provider receives.
  const name = message.name === calledNames.get(message.tool_call_id ?? "") ? undefined : message.name;
  return {
    message: { role: roles[message.role], parts, ...(name && { name }) },
    places: placed.map(({ place }) => place),
    urls: placed.map(({ url }) => url),
  };
}

/** Provider whose API has `reasoning_details`. */
export const reasoningDetailsDialect = "openrouter";

function reasoningParts(message: BodyMessage, provider = reasoningDetailsDialect): readonly ReadPart[] {
  const details = message.reasoning_details ?? [];
  const state = details.length > 0 && { providerState: { provider, data: encodeDetails(details) } };
  for (const place of ["reasoning", "reasoning_content"] as const) {
    const text = textOf(message[place]);
    if (text !== "") return [{ part: { kind: { case: "reasoning", value: { text } }, ...state }, place: [place] }];
  }
  if (details.length === 0) return [];
  const text = details.map(({ text, summary }) => `${text ?? summary ?? ""}`).join("");
  return [{ part: { kind: { case: "reasoning", value: { text } }, ...state }, place: ["reasoning_details"] }];
}

/** Path of the URL in a part, by the type of the part. */
const urlPlaces: Readonly<Partial<Record<BodyPart["type"], FieldPath>>> = {
  audio_url: ["audio_url", "url"],
  image: ["image"],
  image_url: ["image_url", "url"],
  video_url: ["video_url", "url"],
};

function spokenParts(
  { content, refusal, tool_calls, annotations }: BodyMessage,
  imageDetail: MediaDetail | undefined,
): readonly ReadPart[] {
  const parts: (Omit<ReadPart, "part"> & { part: PartInit })[] = partsOf(content).map((part, index) => ({
    part: toPart(part, imageDetail),
    place: typeof content === "string" ? ["content"] : ["content", index],
    url: urlPlaces[part.type],
  }));
  const spoken = parts.find(({ part: { kind } }) => kind?.case === "text");
  if (spoken && annotations?.length) spoken.part = { ...spoken.part, citations: toCitations(annotations, content) };
  if (refusal) parts.push({ part: { kind: { case: "refusal", value: refusal } }, place: ["refusal"] });
  if (!tool_calls?.length) return parts;
  // Several clients send "" as the content of tool calls, and some providers reject empty text.
  return parts.filter(({ part: { kind } }) => kind?.case !== "text" || kind.value !== "");
}

/** Returns the citations of a text. They have positions only if the content is one text. */
function toCitations(
  annotations: NonNullable<BodyMessage["annotations"]>,
  content: Content,
): NonNullable<PartInit["citations"]> {
  const positions = new TextPositions();
  if (typeof content === "string") positions.append(content);
  return annotations.flatMap((annotation) => {
    if (!("url_citation" in annotation)) return [];
    const { url, title, start_index, end_index, content: citedText } = annotation.url_citation;
    return {
      source: { case: "url", value: { url, title: title ?? "" } },
      citedText: citedText ?? "",
      ...positions.toBytes(start_index ?? 0, end_index ?? 0),
    };
  });
}

function callParts({ tool_calls }: BodyMessage): readonly ReadPart[] {
  return (tool_calls ?? []).map(({ id, function: { name, arguments: argumentsJson } }, index) => ({
    part: { kind: { case: "toolCall", value: { id, name, argumentsJson: argumentsJson ?? "" } } },
    place: ["tool_calls", index],
  }));
}

function toolResult({ tool_call_id: toolCallId = "", content }: BodyMessage): ReadPart {
  const parts = partsOf(content).flatMap((part) =>
    part.type === "text" ? [{ kind: { case: "text", value: part.text } as const }] : [],
  );
  const cacheHint = partsOf(content)
    .map(toCacheHint)
    .findLast((hint) => hint !== undefined);
  return {
    part: { kind: { case: "toolResult", value: { toolCallId, parts } }, ...(cacheHint && { cacheHint }) },
    place: ["content"],
  };
}

function toPart(part: BodyPart, imageDetail: MediaDetail | undefined): PartInit {
  const cacheHint = toCacheHint(part);
  return { kind: kindOf(part, imageDetail), ...(cacheHint && { cacheHint }) };
}

function kindOf(part: BodyPart, imageDetail: MediaDetail | undefined): NonNullable<PartInit["kind"]> {
  switch (part.type) {
    case "text":
      return { case: "text", value: part.text };
    case "refusal":
      return { case: "refusal", value: part.refusal };
    case "image_url":
      return imageOf(part.image_url.url, toDetail(part.image_url.detail) ?? imageDetail);
    case "image":
      return imageOf(part.image, imageDetail);
    case "input_audio": {
      const { data, format } = part.input_audio;
      return { case: "media", value: { source: { case: "data", value: data }, mediaType: toAudioType(format) } };
    }
    case "file": {
      const { file_data, file_id, filename } = part.file;
      const file = file_data ?? { source: { case: "fileId", value: file_id ?? "" }, mediaType: "application/pdf" };
      return { case: "media", value: { ...file, ...(filename && { filename }) } };
    }
    case "video_url":
      return mediaOf(part.video_url.url, videoTypeOf(part.video_url.url));
    case "audio_url":
      return mediaOf(part.audio_url.url, "audio/wav");
    default:
      return part satisfies never;
  }
}

/** Returns media of a URL. Only `data:` URIs have their own media type; it is a guess for others. */
function mediaOf(url: string, mediaType: string): NonNullable<PartInit["kind"]> {
  return { case: "media", value: { mediaType, ...mediaSource(url) } };
}

const videoTypes: ReadonlyMap<string, string> = new Map([
  ["webm", "video/webm"],
  ["mov", "video/quicktime"],
  ["mpeg", "video/mpeg"],
  ["avi", "video/x-msvideo"],
]);

/** Returns the media type of a video by the end of its URL. Default: MP4. */
function videoTypeOf(url: string): string {
  const [, extension = ""] = /\.(\w+)$/.exec(URL.parse(url)?.pathname ?? "") ?? [];
  return videoTypes.get(extension.toLowerCase()) ?? "video/mp4";
}

function imageOf(url: string, detail: MediaDetail | undefined): NonNullable<PartInit["kind"]> {
  return { case: "media", value: { ...mediaSource(url), ...(detail !== undefined && { detail }) } };
}

function partsOf(content: Content): readonly BodyPart[] {
  if (content === null || content === undefined) return [];
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** Returns the text of a message content. Drops parts that are not text. */
export function textOf(content: Content): string {
  return partsOf(content)
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");
}
