import type { Media } from "../../../gen/dragoman/v1/media_pb.js";

/**
 * Names that programs use for a media type, each with its usual name. Sources: IANA, Apache's and Chromium's tables.
 */
const usualNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "image/jpeg": ["image/jpg", "image/pjpeg", "image/x-jpeg", "image/x-jpg", "image/jpe", "image/jfif"],
    "image/png": ["image/x-png", "image/apng"],
    "image/gif": ["image/x-gif"],
    "image/webp": ["image/x-webp"],
    "image/bmp": ["image/x-bmp", "image/x-ms-bmp"],
    "image/svg+xml": ["image/svg"],
    "audio/mpeg": ["audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3", "audio/x-mpeg-3", "audio/mpg"],
    "audio/wav": ["audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"],
    "audio/flac": ["audio/x-flac"],
    "audio/mp4": ["audio/m4a", "audio/x-m4a", "audio/mp4a-latm"],
    "audio/aac": ["audio/x-aac", "audio/aacp", "audio/x-hx-aac-adts"],
    "audio/ogg": ["audio/x-ogg", "application/ogg", "audio/vorbis"],
    "audio/aiff": ["audio/x-aiff"],
    "application/pdf": ["application/x-pdf", "application/acrobat", "application/vnd.pdf", "text/pdf", "text/x-pdf"],
    "text/markdown": ["text/x-markdown", "text/md"],
    "text/csv": ["text/comma-separated-values", "application/csv", "text/x-csv"],
    "text/html": ["application/xhtml+xml"],
    "video/mp4": ["video/x-m4v", "video/m4v", "application/mp4"],
    "video/quicktime": ["video/mov", "video/x-quicktime"],
    "video/x-msvideo": ["video/avi", "video/msvideo"],
    "video/x-matroska": ["video/mkv", "video/matroska"],
    "video/mpeg": ["video/mpg", "video/x-mpeg"],
  }).flatMap(([usual, others]) => others.map((name) => [name, usual] as const)),
);

/** Types whose parameters say how to read the bytes, such as the sample rate. */
const rawAudio: ReadonlySet<string> = new Set(["audio/l16", "audio/l24", "audio/pcm", "audio/basic"]);

/** Returns the usual name of a media type: lower case, without parameters. */
export function usualMediaType(mediaType: string): string {
  const [name = "", ...parameters] = mediaType.split(";");
  const type = name.trim().toLowerCase();
  if (rawAudio.has(type) && parameters.length > 0) return [type, ...parameters.map((one) => one.trim())].join(";");
  return usualNames.get(type) ?? type;
}

/**
 * Returns text bytes in UTF-8, which providers expect, if the parameter `charset` names another encoding. Unknown
 * encodings are left as they are.
 */
export function utf8Source({ source, mediaType }: Media): Media["source"] {
  const [, charset = "utf-8"] = /^text\/.*;\s*charset="?([\w.:-]+)/i.exec(mediaType) ?? [];
  if (source.case !== "data" || /^(utf-?8|us-ascii)$/i.test(charset)) return source;
  try {
    return { case: "data", value: Buffer.from(new TextDecoder(charset).decode(source.value)) };
  } catch {
    return source;
  }
}
