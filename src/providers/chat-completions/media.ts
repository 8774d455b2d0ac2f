import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import type { ContentPart } from "./wire.ts";

const audioFormats: Readonly<Record<string, "wav" | "mp3">> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/wave": "wav",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
};

/** Values of an image's `detail`. */
export const detailWords = {
  [MediaDetail.UNSPECIFIED]: undefined,
  [MediaDetail.AUTO]: "auto",
  [MediaDetail.LOW]: "low",
  [MediaDetail.HIGH]: "high",
} as const satisfies Record<MediaDetail, string | undefined>;

/** Ways to send media: `image` is an image as bytes, `image_url` an image by URL, `file_id` a file by its id. */
export type MediaForm = "image" | "image_url" | "audio" | "file" | "file_id";

/** Returns how to send media; `other` if Chat Completions does not support it. */
export function mediaForm({ source, mediaType }: Media): MediaForm | "other" {
  if (source.case === "fileId") return "file_id";
  if (source.case === "url") {
    // A self-hosted server may read local files for `file:` URLs, so Dragoman sends only http and https URLs.
    const isImage = mediaType === "" || mediaType.startsWith("image/");
    return isImage && /^https?:/i.test(source.value) ? "image_url" : "other";
  }
  if (mediaType.startsWith("image/")) return "image";
  if (Object.hasOwn(audioFormats, mediaType)) return "audio";
  return mediaType === "application/pdf" ? "file" : "other";
}

/** Converts media to a content part. The result of `mediaForm` for it must not be `other`. */
export function toMediaPart(media: Media): ContentPart {
  const { source, mediaType, filename } = media;
  if (source.case === "fileId") return { type: "file", file: { file_id: source.value } };
  const base64 = source.case === "data" ? Buffer.from(source.value).toString("base64") : "";
  const form = mediaForm(media);
  if (form === "audio")
    return { type: "input_audio", input_audio: { data: base64, format: audioFormats[mediaType] ?? "wav" } };
  const dataUrl = `data:${mediaType};base64,${base64}`;
  if (form === "file") return { type: "file", file: { file_data: dataUrl, filename: filename || "document.pdf" } };
  const url = source.case === "url" ? source.value : dataUrl;
  const detail = detailWords[media.detail];
  return { type: "image_url", image_url: { url, ...(detail && { detail }) } };
}
