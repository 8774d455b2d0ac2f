import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { lookUp } from "../../look-up.ts";
import type { AudioFormat, DocumentFormat, ImageFormat, MediaBlock, Source, VideoFormat } from "./wire.ts";

const imageFormats: Readonly<Record<string, ImageFormat>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/gif": "gif",
  "image/webp": "webp",
};

const documentFormats: Readonly<Record<string, DocumentFormat>> = {
  "application/pdf": "pdf",
  "text/csv": "csv",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "text/html": "html",
  "text/plain": "txt",
  "text/markdown": "md",
};

const videoFormats: Readonly<Record<string, VideoFormat>> = {
  "video/x-matroska": "mkv",
  "video/quicktime": "mov",
  "video/mp4": "mp4",
  "video/webm": "webm",
  "video/x-flv": "flv",
  "video/mpeg": "mpeg",
  "video/x-ms-wmv": "wmv",
  "video/3gpp": "three_gp",
};

const audioFormats: Readonly<Record<string, AudioFormat>> = {
  "audio/wav": "wav",
  "audio/mpeg": "mp3",
  "audio/flac": "flac",
  "audio/ogg": "ogg",
  "audio/opus": "opus",
  "audio/aac": "aac",
  "audio/mp4": "m4a",
  "audio/webm": "webm",
};

/** Whether Bedrock accepts the media: bytes or an S3 URL, in a supported format. Tool results cannot contain audio. */
export function canSend(media: Media, inToolResult: boolean): boolean {
  const { source } = media;
  const block = toBlock(media, "", { bytes: "" });
  if (block === undefined || (inToolResult && "audio" in block)) return false;
  return source.case === "data" || (source.case === "url" && source.value.startsWith("s3://"));
}

/** Converts media to a block; undefined if Bedrock does not support it. */
export function toMediaBlock(media: Media, documentName: string): MediaBlock | undefined {
  const { source } = media;
  if (source.case === undefined) return undefined;
  return toBlock(
    media,
    documentName,
    source.case === "data"
      ? { bytes: Buffer.from(source.value).toString("base64") }
      : { s3Location: { uri: source.value } },
  );
}

function toBlock({ mediaType: type, citable }: Media, name: string, source: Source): MediaBlock | undefined {
  const image = lookUp(imageFormats, type);
  if (image !== undefined) return { image: { format: image, source } };
  const document = lookUp(documentFormats, type);
  if (document !== undefined) {
    return {
      document: { format: document, name, source, ...(citable !== undefined && { citations: { enabled: citable } }) },
    };
  }
  const video = lookUp(videoFormats, type);
  if (video !== undefined) return { video: { format: video, source } };
  const audio = lookUp(audioFormats, type);
  return audio === undefined ? undefined : { audio: { format: audio, source } };
}

/**
 * Returns a function that makes unique document names for one request. Bedrock accepts letters, digits, single spaces,
 * hyphens and brackets. The names omit the file extension, because Bedrock rejects its dot.
 */
export function documentNames(): (filename: string) => string {
  const timesByName = new Map<string, number>();
  return (filename) => {
    const stem = filename.replace(/\.[^.]*$/, "");
    const name =
      stem
        .replace(/[^A-Za-z0-9()[\]-]+/g, " ")
        .trim()
        .slice(0, 190)
        .trim() || "document";
    const times = (timesByName.get(name) ?? 0) + 1;
    timesByName.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  };
}
