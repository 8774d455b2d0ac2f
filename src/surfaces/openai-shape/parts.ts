import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import type { CacheHintSchema } from "../../gen/dragoman/v1/message_pb.js";
import { decodeBase64, mediaSource } from "../kit/data-uri.ts";
import { commonAudioTypes } from "./audio-types.ts";

/** Makes the schema of an object. `closedObject` rejects unknown properties, `openObject` ignores them. */
export type ObjectOf = <Shape extends z.ZodRawShape>(shape: Shape) => z.ZodObject<Shape, z.core.$strip>;
export const closedObject: ObjectOf = (shape) => z.strictObject(shape);
export const openObject: ObjectOf = (shape) => z.object(shape);

/** Seconds per unit. */
const units = { s: 1, m: 60, h: 3600 } as const;

/** Schema of the lifetime of a cached prompt, such as `5m` or `1h`. Its output is in seconds. */
const lifetime = z
  .string()
  .regex(/^\d{1,6}[smh]$/, "must be a whole number and a unit (s, m or h), such as 5m or 1h")
  .transform((text) => {
    const unit = text.endsWith("s") ? "s" : text.endsWith("m") ? "m" : "h";
    return Number.parseInt(text, 10) * units[unit];
  });

/** Prompt cache breakpoint: the provider caches the prompt up to it. */
interface CacheMark {
  /** Lifetime in seconds. */
  readonly ttl?: number | null | undefined;
}

/**
 * Object that may have a prompt cache breakpoint. Anthropic and DeepInfra name it `cache_control`, OpenAI names it
 * `prompt_cache_breakpoint`.
 */
export interface Markable {
  readonly cache_control?: CacheMark | null | undefined;
  readonly prompt_cache_breakpoint?: CacheMark | null | undefined;
}

/** Makes the schemas of prompt cache breakpoints, by field name. */
export function cacheMarks(object: ObjectOf) {
  return {
    cache_control: object({ type: z.literal("ephemeral").nullish(), ttl: lifetime.nullish() }).nullish(),
    prompt_cache_breakpoint: object({ mode: z.literal("explicit"), ttl: lifetime.nullish() }).nullish(),
  };
}

/** Returns the CacheHint of an object's prompt cache breakpoint. Undefined if the object has none. */
export function toCacheHint(marked: Markable): MessageInitShape<typeof CacheHintSchema> | undefined {
  const mark = marked.cache_control ?? marked.prompt_cache_breakpoint;
  if (!mark) return undefined;
  return mark.ttl ? { ttl: { seconds: BigInt(mark.ttl) } } : {};
}

/** Schema of base64 text. Its output is the bytes. */
export const base64 = z.string().transform((text, context) => {
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: "custom", message: "must be base64" });
  return z.NEVER;
});

/**
 * Schema of file data: OpenAI's base64 `data:` URI, plain base64, which means a PDF, or OpenRouter's http URL of a PDF.
 */
export const fileData = z.string().transform((text, context) => {
  const { source, mediaType } = mediaSource(text);
  if (source?.case === "data") return { source, mediaType: mediaType ?? pdf };
  if (/^https?:/i.test(text)) return { source: { case: "url", value: text } as const, mediaType: pdf };
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return { source: { case: "data", value: bytes } as const, mediaType: pdf };
  context.addIssue({ code: "custom", message: "must be base64, plain or in a data: URI, or an http URL" });
  return z.NEVER;
});

const pdf = "application/pdf";

/** `original` is OpenAI's, and the contract has no more than HIGH. */
const details = {
  auto: MediaDetail.AUTO,
  low: MediaDetail.LOW,
  high: MediaDetail.HIGH,
  original: MediaDetail.HIGH,
} as const;

type Detail = keyof typeof details;
const commonDetails: readonly Detail[] = ["auto", "low", "high"];
export const allDetails: readonly Detail[] = [...commonDetails, "original"];

/** Media types of the formats of `input_audio`: OpenAI's two, and those that OpenRouter adds. */
const audioTypes = {
  ...commonAudioTypes,
  aiff: "audio/aiff",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
} as const;

type AudioFormat = keyof typeof audioTypes;
export const openAiAudioFormats: readonly AudioFormat[] = ["wav", "mp3"];
export const allAudioFormats: readonly AudioFormat[] = ["wav", "mp3", "aac", "aiff", "flac", "m4a", "ogg", "pcm16"];

interface Address {
  readonly url: string;
}

type FileData = z.output<typeof fileData>;

/** Content part: the types of all APIs of this shape. */
export type BodyPart = Markable &
  (
    | { readonly type: "text"; readonly text: string }
    | { readonly type: "refusal"; readonly refusal: string }
    | {
        readonly type: "image_url";
        readonly image_url: { readonly url: string; readonly detail?: keyof typeof details | null | undefined };
      }
    // vLLM and OpenRouter.
    | { readonly type: "video_url"; readonly video_url: Address }
    // vLLM.
    | { readonly type: "audio_url"; readonly audio_url: Address }
    // Cerebras' short form of image_url.
    | { readonly type: "image"; readonly image: string }
    | {
        readonly type: "input_audio";
        readonly input_audio: {
          readonly data: Uint8Array<ArrayBufferLike>;
          readonly format?: AudioFormat | null | undefined;
        };
      }
    | {
        readonly type: "file";
        readonly file: {
          readonly file_data?: FileData | null | undefined;
          readonly file_id?: string | null | undefined;
          readonly filename?: string | null | undefined;
        };
      }
  );

/**
 * Makes the schemas of content parts. `marks`: schemas of prompt cache breakpoints, for the types that allow them.
 * `audioFormats`: formats of `input_audio`. `imageDetails`: levels of `image_url.detail`.
 */
export function partSchemas<Marks extends z.ZodRawShape>(
  object: ObjectOf,
  marks: Marks,
  audioFormats = openAiAudioFormats,
  imageDetails = commonDetails,
) {
  const address = object({ url: z.string() });
  return {
    text: object({ type: z.literal("text"), text: z.string(), ...marks }),
    refusal: object({ type: z.literal("refusal"), refusal: z.string() }),
    image_url: object({
      type: z.literal("image_url"),
      image_url: object({ url: z.string(), detail: z.enum(imageDetails).nullish() }),
      ...marks,
    }),
    image: object({ type: z.literal("image"), image: z.string() }),
    input_audio: object({
      type: z.literal("input_audio"),
      input_audio: object({ data: base64, format: z.enum(audioFormats).nullish() }),
      ...marks,
    }),
    file: object({
      type: z.literal("file"),
      file: object({
        file_data: fileData.nullish(),
        file_id: z.string().nullish(),
        filename: z.string().nullish(),
      }).refine(({ file_data, file_id }) => !file_data !== !file_id, "must have either file_data or file_id"),
      ...marks,
    }),
    video_url: object({ type: z.literal("video_url"), video_url: address, ...marks }),
    audio_url: object({ type: z.literal("audio_url"), audio_url: address, ...marks }),
  };
}

/** Makes the schema of a content: a string or a list of parts. */
export function contentOf<Part extends z.core.SomeType>(part: Part) {
  return z.union([z.string(), z.array(part)], "must be a string or a list of parts");
}

export function toDetail(detail: keyof typeof details | null | undefined): MediaDetail | undefined {
  return detail ? details[detail] : undefined;
}

export function toAudioType(format: AudioFormat | null | undefined): string {
  return audioTypes[format ?? "wav"];
}
