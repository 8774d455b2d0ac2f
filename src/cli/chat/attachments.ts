import { basename, extname } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { UsageError } from "../failures.ts";
import { readFile } from "../remote/read-file.ts";

/** Media types by the ending of a file's name. The service corrects a type that contradicts the first bytes. */
const mediaTypes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".bmp": "image/bmp",
  ".heic": "image/heic",
  ".heif": "image/heif",
  ".pdf": "application/pdf",
  ".wav": "audio/wav",
  ".mp3": "audio/mpeg",
  ".m4a": "audio/mp4",
  ".flac": "audio/flac",
  ".ogg": "audio/ogg",
  ".aac": "audio/aac",
  ".mp4": "video/mp4",
  ".mov": "video/quicktime",
  ".webm": "video/webm",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

const isUrl = (place: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(place);

/** Returns a part with an image, in the JSON of the proto. Throws UsageError. */
export function attachedImage(place: string): JsonObject {
  const type = mediaTypeOf(place);
  if (isUrl(place)) return { media: { url: place, ...(type !== undefined && { media_type: type }) } };
  if (type === undefined || !type.startsWith("image/")) {
    throw new UsageError(`--image: ${JSON.stringify(place)} is no image by its name; write --file for other files`);
  }
  return { media: { data: readFile("image", place).toString("base64"), media_type: type } };
}

/** Returns a part with a file: its text, or else media. In the JSON of the proto. Throws UsageError. */
export function attachedFile(place: string): JsonObject {
  const type = mediaTypeOf(place);
  const filename = basename(place);
  if (isUrl(place)) return { media: { url: place, media_type: type ?? "application/pdf", filename } };
  const data = readFile("file", place);
  if (type !== undefined) return { media: { data: data.toString("base64"), media_type: type, filename } };
  const text = textOf(data);
  if (text === undefined) {
    throw new UsageError(`--file: ${JSON.stringify(place)} is no text, and its name does not tell its type; rename it`);
  }
  return { text: `<file name=${JSON.stringify(filename)}>\n${text}\n</file>` };
}

function mediaTypeOf(place: string): string | undefined {
  const path = isUrl(place) && URL.canParse(place) ? new URL(place).pathname : place;
  return mediaTypes[extname(path).toLowerCase()];
}

function textOf(data: Uint8Array): string | undefined {
  if (data.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return undefined;
  }
}
