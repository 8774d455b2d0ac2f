import type { Media } from "../../gen/dragoman/v1/message_pb.js";
import { MediaDetail } from "../../gen/dragoman/v1/message_pb.js";
import type { ContentPart } from "./wire.ts";

const audioFormats: Readonly<Record<string, "wav" | "mp3">> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/wave": "wav",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
};

/** The words for how closely an image is looked at. */
export const detailWords = {
  [MediaDetail.UNSPECIFIED]: undefined,
  [MediaDetail.AUTO]: "auto",
  [MediaDetail.LOW]: "low",
  [MediaDetail.HIGH]: "high",
} as const satisfies Record<MediaDetail, string | undefined>;

/** The forms in which media are sent: `image` is one given as bytes, `image_url` one given by address. */
export type MediaForm = "image" | "image_url" | "audio" | "file";

/** What a medium is in this dialect; `other` when it cannot be said. */
export function mediaForm({ source, mediaType }: Media): MediaForm | "other" {
  if (source.case === "url") {
    // Servers of one's own may read files and private addresses: no other scheme is passed on.
    const isImage = mediaType === "" || mediaType.startsWith("image/");
    return isImage && /^https?:/i.test(source.value) ? "image_url" : "other";
  }
  if (mediaType.startsWith("image/")) return "image";
  if (Object.hasOwn(audioFormats, mediaType)) return "audio";
  return mediaType === "application/pdf" ? "file" : "other";
}

/** A medium as a content part. It must be of a kind that the dialect has. */
export function toMediaPart(media: Media): ContentPart {
  const { source, mediaType, filename } = media;
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
