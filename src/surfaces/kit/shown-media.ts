import { mediaKind } from "../../chat/planning/media-kind.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";

/** How OpenAI's chat API returns media: as its only audio, or as one of the images that OpenRouter adds. */
export type ShownMedia = "audio" | "image";

/** Returns how to return media, by its first delta. Undefined: the API has no field for it. */
export function shownMedia(media: Media): ShownMedia | undefined {
  const { source, mediaType, transcript } = media;
  const kind = mediaKind(media);
  if (source.case === "fileId") return undefined;
  if (source.case === "url") return kind === "image" || kind === undefined ? "image" : undefined;
  if (kind === "audio" || (mediaType === "" && transcript !== "")) return "audio";
  return kind === "image" ? "image" : undefined;
}

/** Whether a delta of media continues a part: only the first delta of a part tells what the media is. */
export function continuesMedia({ source, mediaType }: Media): boolean {
  return mediaType === "" && source.case !== "url" && source.case !== "fileId";
}
