import { mediaKind } from "../../chat/planning/media-kind.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { detailWords } from "../chat-completions/media.ts";
import type { InputContent } from "./wire.ts";

/** Returns why the API does not take media. Undefined: it does. */
export function mediaProblem(media: Media): string | undefined {
  const { source, mediaType } = media;
  if (source.case === "fileId") return undefined;
  const kind = mediaKind(media);
  if (source.case === "url") {
    if (!/^https?:/i.test(source.value)) return "takes only http and https URLs; send the bytes in data";
    return kind === "audio" || kind === "video" ? `does not support ${kind} input` : undefined;
  }
  if (kind === "image" || (kind === "document" && mediaType !== "")) return undefined;
  return kind === undefined ? "needs a media_type" : `does not support ${kind} input`;
}

/** Converts media, for which `mediaProblem` returns undefined. Without a type, a URL or a file is an image or a file. */
export function toInputContent(media: Media): InputContent {
  const { source, mediaType, filename } = media;
  const kind = mediaKind(media);
  const isImage = kind === "image" || (kind === undefined && source.case === "url");
  const base64 = source.case === "data" ? Buffer.from(source.value).toString("base64") : "";
  const address = source.case === "url" ? source.value : `data:${mediaType};base64,${base64}`;
  if (isImage) {
    const place = source.case === "fileId" ? { file_id: source.value } : { image_url: address };
    return { type: "input_image", ...place, detail: detailWords[media.detail] ?? "auto" };
  }
  if (source.case === "fileId") return { type: "input_file", file_id: source.value };
  if (source.case === "url") return { type: "input_file", file_url: address };
  return { type: "input_file", file_data: address, filename: filename || nameOf(mediaType) };
}

/** Returns a name for a file without one. OpenAI reads the type of a file from the end of its name. */
function nameOf(mediaType: string): string {
  const [, subtype = ""] = mediaType.split("/");
  return `document.${extensions[subtype] ?? (subtype.replace(/^x-/, "") || "txt")}`;
}

const extensions: Readonly<Record<string, string>> = { plain: "txt", markdown: "md" };
