import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { lookUp } from "../../look-up.ts";
import type { ContainerUploadBlock, DocumentBlock, ImageBlock, ImageType } from "./wire.ts";

type MediaForm = ImageType | "image_url" | "image_file" | "pdf" | "pdf_url" | "text" | "document_file" | "upload";

const forms: Readonly<Record<string, MediaForm>> = {
  "image/jpeg": "image/jpeg",
  "image/png": "image/png",
  "image/gif": "image/gif",
  "image/webp": "image/webp",
  "application/pdf": "pdf",
};

/** Returns how the API encodes the media; undefined if the API does not support it. */
export function mediaForm({ source, ...media }: Media): MediaForm | undefined {
  const { mediaType } = media;
  if (source.case === "data") {
    if (mediaType.startsWith("text/")) return "text";
    return lookUp(forms, mediaType);
  }
  if (source.case === "fileId") return fileForm(mediaType);
  if (source.case === undefined || !/^https?:/i.test(source.value)) return undefined;
  if (mediaType === "application/pdf") return "pdf_url";
  return mediaType === "" || mediaType.startsWith("image/") ? "image_url" : undefined;
}

/** Files that are no images and no documents are for the code execution tool. Default: a document. */
function fileForm(mediaType: string): MediaForm {
  if (mediaType.startsWith("image/")) return "image_file";
  return ["", "application/pdf", "text/plain"].includes(mediaType) ? "document_file" : "upload";
}

/** Whether the API can cite media of this form. */
export function isDocument(form: MediaForm): boolean {
  return form === "pdf" || form === "pdf_url" || form === "text" || form === "document_file";
}

export function toMediaBlock(
  { source, filename, citable }: Media,
  form: MediaForm,
): ImageBlock | DocumentBlock | ContainerUploadBlock {
  const bytes = source.case === "data" ? Buffer.from(source.value) : Buffer.alloc(0);
  const url = { type: "url", url: source.case === "url" ? source.value : "" } as const;
  const file = { type: "file", file_id: source.case === "fileId" ? source.value : "" } as const;
  const citations = citable === undefined ? {} : { citations: { enabled: citable } };
  const document = { type: "document", ...(filename && { title: filename }), ...citations } as const;
  switch (form) {
    case "image_url":
      return { type: "image", source: url };
    case "image_file":
      return { type: "image", source: file };
    case "document_file":
      return { ...document, source: file };
    case "upload":
      return { type: "container_upload", file_id: file.file_id };
    case "pdf_url":
      return { ...document, source: url };
    case "pdf":
      return {
        ...document,
        source: { type: "base64", media_type: "application/pdf", data: bytes.toString("base64") },
      };
    case "text":
      return { ...document, source: { type: "text", media_type: "text/plain", data: bytes.toString() } };
    default:
      return { type: "image", source: { type: "base64", media_type: form, data: bytes.toString("base64") } };
  }
}
