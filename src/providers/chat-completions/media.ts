import { mediaKind } from "../../chat/planning/media-kind.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import type { ContentPart } from "./wire.ts";

const audioFormats: Readonly<Record<string, "wav" | "mp3">> = {
  "audio/wav": "wav",
  "audio/mpeg": "mp3",
};

/** Formats besides OpenAI's. https://openrouter.ai/docs/guides/overview/multimodal/audio */
const otherAudioFormats: Readonly<Record<string, string>> = {
  "audio/aac": "aac",
  "audio/aiff": "aiff",
  "audio/flac": "flac",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
};

/** Values of an image's `detail`. */
export const detailWords = {
  [MediaDetail.UNSPECIFIED]: undefined,
  [MediaDetail.AUTO]: "auto",
  [MediaDetail.LOW]: "low",
  [MediaDetail.HIGH]: "high",
} as const satisfies Record<MediaDetail, string | undefined>;

/**
 * Ways to send media: `image_url`, `file_url` and `video_url` by URL, `file_id` by its id, the others as bytes. `audio`
 * is WAV or MP3, `other_audio` any other format. A file is a PDF.
 */
export type MediaForm =
  | "image"
  | "image_url"
  | "audio"
  | "other_audio"
  | "file"
  | "file_url"
  | "file_id"
  | "video"
  | "video_url";

/** Returns how to send media; `other` if no Chat Completions server supports it. */
export function mediaForm(media: Media): MediaForm | "other" {
  const { source, mediaType } = media;
  if (source.case === "fileId") return "file_id";
  const kind = mediaKind(media);
  if (source.case === "url") {
    // A self-hosted server may read local files for `file:` URLs, so Dragoman sends only http and https URLs.
    if (!/^https?:/i.test(source.value)) return "other";
    if (kind === "video") return "video_url";
    if (isPdf(media)) return "file_url";
    return kind === undefined || kind === "image" ? "image_url" : "other";
  }
  if (kind === "image") return "image";
  if (kind === "video") return "video";
  if (Object.hasOwn(audioFormats, mediaType)) return "audio";
  if (Object.hasOwn(otherAudioFormats, mediaType)) return "other_audio";
  return mediaType === "application/pdf" ? "file" : "other";
}

/** Whether media is a PDF by its type or, without one, by its URL. */
function isPdf({ source, mediaType }: Media): boolean {
  if (mediaType !== "") return mediaType === "application/pdf";
  return source.case === "url" && /\.pdf$/i.test(URL.parse(source.value)?.pathname ?? "");
}

/** Converts media to a content part. The result of `mediaForm` for it must not be `other`. */
export function toMediaPart(media: Media): ContentPart {
  const { source, mediaType, filename } = media;
  const base64 = source.case === "data" ? Buffer.from(source.value).toString("base64") : "";
  const url = source.case === "url" ? source.value : `data:${mediaType};base64,${base64}`;
  const form = mediaForm(media);
  switch (form) {
    case "audio":
    case "other_audio": {
      const format = audioFormats[mediaType] ?? otherAudioFormats[mediaType] ?? "wav";
      return { type: "input_audio", input_audio: { data: base64, format } };
    }
    case "file_id":
      return { type: "file", file: { file_id: source.case === "fileId" ? source.value : "" } };
    case "file":
    case "file_url":
      return { type: "file", file: { file_data: url, filename: filename || "document.pdf" } };
    case "video":
    case "video_url":
      return { type: "video_url", video_url: { url } };
    case "image":
    case "image_url":
    case "other": {
      const detail = detailWords[media.detail];
      return { type: "image_url", image_url: { url, ...(detail && { detail }) } };
    }
    default:
      return form satisfies never;
  }
}
