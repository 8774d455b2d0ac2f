import { audioReference } from "../../chat/stream/audio-reference.ts";
import { TextPositions } from "../../chat/stream/text-positions.ts";
import { parseBounded } from "../../chat/validation/json-bounds.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { toMediaPart } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import type { ContentPart } from "./wire.ts";

type ImagePart = Extract<ContentPart, { type: "image_url" }>;

/** How to send media of the model back: by its id, as an image, or as its transcript. */
type SentMedia =
  | { readonly audio: { readonly id: string } }
  | { readonly image: ImagePart }
  | { readonly text: string };

/** Returns how to send media of an earlier response back. Undefined if the server does not accept it. */
export function replayedMedia(
  { kind, providerState }: Pick<Part, "kind" | "providerState">,
  { outputs }: Quirks,
): SentMedia | undefined {
  if (kind.case !== "media") return undefined;
  const id = outputs.includes(Modality.AUDIO) ? audioId(providerState) : undefined;
  if (id !== undefined) return { audio: { id } };
  if (kind.value.transcript !== "") return { text: kind.value.transcript };
  return outputs.includes(Modality.IMAGE) && isImage(kind.value) ? toImage(kind.value) : undefined;
}

/** Returns the id with which the server finds its audio. Undefined if the audio has expired there. */
function audioId(state: ProviderState | undefined): string | undefined {
  const { id, expires_at } = audioReference(state) ?? {};
  const isExpired = expires_at !== undefined && expires_at * 1_000 <= Date.now();
  return isExpired ? undefined : id;
}

function isImage({ source, mediaType }: Media): boolean {
  return source.case === "url" ? /^https?:/i.test(source.value) : mediaType.startsWith("image/");
}

function toImage(media: Media): SentMedia | undefined {
  const part = toMediaPart(media);
  return part.type === "image_url" ? { image: part } : undefined;
}

/** Returns the annotations of a text as the server sent them. `offset` is the number of characters before the text. */
export function toAnnotations(text: string, citations: readonly Citation[], offset: number): readonly object[] {
  const positions = new TextPositions();
  positions.append(text);
  return citations.flatMap(({ source, start, end, citedText, providerState }): readonly object[] => {
    if (providerState !== undefined) {
      const known = jsonOf(providerState.data);
      return typeof known === "object" && known !== null ? [known] : [];
    }
    if (source.case !== "url") return [];
    const { url, title } = source.value;
    const range = {
      start_index: start === undefined ? 0 : offset + positions.toCharacter(start),
      end_index: end === undefined ? 0 : offset + positions.toCharacter(end),
    };
    return [{ type: "url_citation", url_citation: { url, title, ...(citedText && { content: citedText }), ...range } }];
  });
}

/** Parses provider state, which comes from the caller. Undefined if it is not JSON. */
function jsonOf(data: Uint8Array): unknown {
  try {
    return parseBounded(Buffer.from(data).toString());
  } catch {
    return undefined;
  }
}
