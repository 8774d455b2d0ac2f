import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import { type CacheHintSchema, MediaDetail } from "../../gen/dragoman/v1/message_pb.js";
import { decodeBase64 } from "../kit/data-uri.ts";

/** Makes the schema of an object that rejects properties that it does not know, or ignores them. */
export type ObjectOf = <Shape extends z.ZodRawShape>(shape: Shape) => z.ZodObject<Shape, z.core.$strip>;
export const closedObject: ObjectOf = (shape) => z.strictObject(shape);
export const openObject: ObjectOf = (shape) => z.object(shape);

/** In seconds. */
const units = { s: 1, m: 60, h: 3600 } as const;

/** `5m`, `1h`: how long a cached prompt lives, in seconds. */
const lifetime = z
  .string()
  .regex(/^\d{1,6}[smh]$/, "must be a number with its unit, such as 5m or 1h")
  .transform((text) => {
    const unit = text.endsWith("s") ? "s" : text.endsWith("m") ? "m" : "h";
    return Number.parseInt(text, 10) * units[unit];
  });

/** A mark that asks for caching up to here. */
interface CacheMark {
  readonly ttl?: number | null | undefined;
}

/** What may carry such a mark, by Anthropic's name for it, which DeepInfra took over, or by OpenAI's. */
export interface Markable {
  readonly cache_control?: CacheMark | null | undefined;
  readonly prompt_cache_breakpoint?: CacheMark | null | undefined;
}

/** The schema of the mark by its name. */
export function cacheMarks(object: ObjectOf) {
  return {
    cache_control: object({ type: z.literal("ephemeral").nullish(), ttl: lifetime.nullish() }).nullish(),
    prompt_cache_breakpoint: object({ mode: z.literal("explicit"), ttl: lifetime.nullish() }).nullish(),
  };
}

/** The hint that a mark stands for. */
export function toCacheHint(marked: Markable): MessageInitShape<typeof CacheHintSchema> | undefined {
  const mark = marked.cache_control ?? marked.prompt_cache_breakpoint;
  if (!mark) return undefined;
  return mark.ttl ? { ttl: { seconds: BigInt(mark.ttl) } } : {};
}

/** The bytes of base64 text. */
const base64 = z.string().transform((text, context) => {
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: "custom", message: "must be base64" });
  return z.NEVER;
});

/** A file as OpenAI takes it: base64 in a `data:` URI, or alone, when it is a PDF. */
const fileData = z.string().transform((text, context) => {
  const [head = "", mediaType = "application/pdf"] = /^data:([^;,]+)[^,]*,/i.exec(text.slice(0, 512)) ?? [];
  const bytes = decodeBase64(text.slice(head.length));
  if (bytes !== undefined) return { bytes, mediaType };
  context.addIssue({ code: "custom", message: "must be base64, alone or in a data URI" });
  return z.NEVER;
});

const details = { auto: MediaDetail.AUTO, low: MediaDetail.LOW, high: MediaDetail.HIGH } as const;
const audioTypes = { wav: "audio/wav", mp3: "audio/mpeg" } as const;

/** A piece of a message, over all APIs of this shape. */
export type BodyPart = Markable &
  (
    | { readonly type: "text"; readonly text: string }
    | { readonly type: "refusal"; readonly refusal: string }
    | {
        readonly type: "image_url";
        readonly image_url: { readonly url: string; readonly detail?: keyof typeof details | null | undefined };
      }
    // Cerebras' short form.
    | { readonly type: "image"; readonly image: string }
    | {
        readonly type: "input_audio";
        readonly input_audio: {
          readonly data: Uint8Array<ArrayBufferLike>;
          readonly format?: keyof typeof audioTypes | null | undefined;
        };
      }
    | {
        readonly type: "file";
        readonly file: {
          readonly file_data: { readonly bytes: Uint8Array<ArrayBufferLike>; readonly mediaType: string };
          readonly filename?: string | null | undefined;
        };
      }
  );

/** The schemas of the pieces, with these further properties on each that a caller may mark. */
export function partSchemas<Marks extends z.ZodRawShape>(object: ObjectOf, marks: Marks) {
  return {
    text: object({ type: z.literal("text"), text: z.string(), ...marks }),
    refusal: object({ type: z.literal("refusal"), refusal: z.string() }),
    image_url: object({
      type: z.literal("image_url"),
      image_url: object({ url: z.string(), detail: z.enum(["auto", "low", "high"]).nullish() }),
      ...marks,
    }),
    image: object({ type: z.literal("image"), image: z.string() }),
    input_audio: object({
      type: z.literal("input_audio"),
      input_audio: object({ data: base64, format: z.enum(["wav", "mp3"]).nullish() }),
      ...marks,
    }),
    file: object({
      type: z.literal("file"),
      file: object({ file_data: fileData, filename: z.string().nullish() }),
      ...marks,
    }),
  };
}

/** Text, or a list of pieces. */
export function contentOf<Part extends z.core.SomeType>(part: Part) {
  return z.union([z.string(), z.array(part)], "must be a string or a list of parts");
}

export function toDetail(detail: keyof typeof details | null | undefined): MediaDetail | undefined {
  return detail ? details[detail] : undefined;
}

export function toAudioType(format: keyof typeof audioTypes | null | undefined): string {
  return audioTypes[format ?? "wav"];
}
