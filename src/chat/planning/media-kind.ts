import type { Media } from "../../gen/dragoman/v1/media_pb.js";

export type MediaKind = "image" | "audio" | "video" | "document";

const extensions: readonly (readonly [MediaKind, readonly string[]])[] = [
  ["image", ["png", "jpg", "jpeg", "gif", "webp", "bmp", "heic", "svg"]],
  ["audio", ["wav", "mp3", "flac", "m4a", "ogg", "opus", "aac"]],
  ["video", ["mp4", "mov", "webm", "mpeg", "avi"]],
  ["document", ["pdf", "txt", "md", "csv", "html", "docx", "xlsx", "pptx"]],
];

/** Returns the kind of a media part by its media type or, without one, by its URL. Undefined if neither shows it. */
export function mediaKind({ mediaType, source }: Media): MediaKind | undefined {
  const address = source.case === "url" ? source.value : "";
  const type = mediaType || /^data:([^;,]+)/i.exec(address)?.[1] || "";
  if (type !== "") {
    const [family = ""] = type.toLowerCase().split("/");
    return family === "image" || family === "audio" || family === "video" ? family : "document";
  }
  const extension = /\.(\w+)$/.exec(URL.parse(address)?.pathname ?? "")?.[1]?.toLowerCase() ?? "";
  return extensions.find(([, names]) => names.includes(extension))?.[0];
}
