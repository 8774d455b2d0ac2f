import { isUtf8 } from "node:buffer";
import { dataOfUri } from "../../data-uri.ts";
import { mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Part, ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { Draft, DraftWarning } from "./draft.ts";
import { usualMediaType, utf8Source } from "./media/media-type.ts";
import { sniff } from "./media/sniff.ts";
import { hasPart, mayHaveMedia, mediaIn, partsOf } from "./parts.ts";

/**
 * Gives media the usual name of their type, without parameters. Corrects a type that contradicts the first bytes, with
 * a warning, since providers reject it. Decodes `data:` URLs, which not all providers accept.
 *
 * Runs before every step that looks at media, so that adapters need to know only one name of each type.
 */
export function normalizeMedia(draft: Draft): Draft {
  const { messages } = draft.request;
  if (!hasPart(messages, mayHaveMedia)) return draft;
  if (partsOf(messages).every((placed) => mediaIn(placed).every(({ media }) => isNormal(media)))) return draft;
  const warnings: DraftWarning[] = [];
  const normalized = messages.map((message, index) => ({
    ...message,
    parts: message.parts.map((part, place) => normalPart(part, ["messages", index, "parts", place], warnings)),
  }));
  return {
    ...draft,
    request: { ...draft.request, messages: normalized },
    warnings: [...draft.warnings, ...warnings.slice(0, mostViolations)],
  };
}

function isNormal({ source, mediaType }: Media): boolean {
  if (source.case === "url" && /^\s*data:/i.test(source.value.slice(0, 16))) return false;
  if (usualMediaType(mediaType) !== mediaType) return false;
  return source.case !== "data" || correctType(mediaType, source.value) === mediaType;
}

function normalPart(part: Part, path: FieldPath, warnings: DraftWarning[]): Part {
  const { kind } = part;
  if (kind.case === "media") {
    return { ...part, kind: { case: "media", value: normalMedia(kind.value, [...path, "media"], warnings) } };
  }
  if (kind.case !== "toolResult") return part;
  const parts = kind.value.parts.map((inner, place): ToolResult["parts"][number] => {
    if (inner.kind.case !== "media") return inner;
    const field = [...path, "tool_result", "parts", place, "media"];
    return { ...inner, kind: { case: "media", value: normalMedia(inner.kind.value, field, warnings) } };
  });
  return { ...part, kind: { case: "toolResult", value: { ...kind.value, parts } } };
}

function normalMedia(given: Media, path: FieldPath, warnings: DraftWarning[]): Media {
  const media = isNormal(given) ? given : decoded(given);
  const named = usualMediaType(media.mediaType);
  const source = utf8Source(media);
  const mediaType = source.case === "data" ? correctType(named, source.value) || "text/plain" : named;
  // A `data:` URL without a type contradicts nothing.
  if (mediaType !== named && (named !== "" || media === given)) {
    const declared = named === "" ? "no media type" : `the media type ${named.slice(0, 127)}`;
    const message = `the bytes are ${mediaType} by their beginning, and are sent so; the request has ${declared}`;
    warnings.push({ reason: "ADJUSTED", field: [...path, "media_type"], message });
  }
  return { ...media, source, mediaType };
}

/** Replaces a `data:` URL by its bytes. */
function decoded(media: Media): Media {
  const found = media.source.case === "url" ? dataOfUri(media.source.value) : undefined;
  if (found === undefined) return media;
  const mediaType = media.mediaType || found.mediaType;
  return { ...media, mediaType, source: { case: "data", value: found.data } };
}

function isText(bytes: Uint8Array): boolean {
  const hasControls = bytes.subarray(0, 1024).some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(byte));
  return !hasControls && isUtf8(bytes);
}

/** Returns the type that the first bytes show, or the declared one if they do not contradict it. */
function correctType(declared: string, bytes: Uint8Array): string {
  const types = sniff(bytes);
  const [likely] = types ?? [];
  // A text may begin with the letters of a signature.
  if (types !== undefined && declared.startsWith("text/") && isText(bytes)) return declared;
  return types === undefined || likely === undefined || types.includes(declared) ? declared : likely;
}
