import { audioReference } from "../../chat/stream/audio-reference.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { type ShownMedia, shownMedia } from "../kit/shown-media.ts";
import { audioId } from "./audio-id.ts";

/**
 * Bytes of audio that base64 text and samples divide evenly: clients join the base64 texts of a stream before they
 * decode them, or decode each by itself, and a sample has 2 bytes.
 */
const audioUnit = 6;

interface Image {
  readonly media: Media;
  readonly pieces: Uint8Array[];
}

/** Audio and images of one choice, as OpenAI's `audio` and OpenRouter's `images`. */
export class OutputMedia {
  readonly #choiceIndex: number;
  readonly #kinds = new Map<number, ShownMedia | undefined>();
  #hasAudio = false;
  #audioState: ProviderState | undefined;
  #rest: Uint8Array = Buffer.alloc(0);
  /** An image is one URL, so its bytes wait until the end of the choice: deltas of several parts may interleave. */
  readonly #images = new Map<number, Image>();

  constructor(choiceIndex: number) {
    this.#choiceIndex = choiceIndex;
  }

  /** Adds media of a part. Returns the fields of the delta; undefined if it has none yet. */
  add(part: number, media: Media, state: ProviderState | undefined): object | undefined {
    const isFirst = !this.#kinds.has(part);
    const kind = isFirst ? shownMedia(media) : this.#kinds.get(part);
    this.#kinds.set(part, kind);
    if (kind === "audio") return this.#addAudio(media, state);
    if (kind === "image" && isFirst) this.#images.set(part, { media, pieces: [] });
    this.#images.get(part)?.pieces.push(...bytesOf(media.source));
    return undefined;
  }

  /**
   * Returns the last fields of the choice: the rest of its media, and the id of its audio. Undefined if there are none.
   */
  end(): object | undefined {
    // Clients merge the lists of a stream by the index of their items.
    const images = [...this.#images]
      .sort(([one], [other]) => one - other)
      .map(([, { media, pieces }], index) => ({ index, ...toImage(media, pieces) }));
    const audio = this.#hasAudio && {
      ...(this.#rest.length > 0 && { data: base64(this.#rest) }),
      ...audioId(audioReference(this.#audioState), this.#audioState?.provider, this.#choiceIndex),
    };
    return audio || images.length > 0 ? { ...(images.length > 0 && { images }), ...(audio && { audio }) } : undefined;
  }

  #addAudio({ source, transcript }: Media, state: ProviderState | undefined): object | undefined {
    this.#hasAudio = true;
    this.#audioState = state ?? this.#audioState;
    const bytes = source.case === "data" ? Buffer.concat([this.#rest, source.value]) : this.#rest;
    const whole = bytes.length - (bytes.length % audioUnit);
    this.#rest = bytes.subarray(whole);
    if (whole === 0 && transcript === "") return undefined;
    const data = base64(bytes.subarray(0, whole));
    return { audio: { ...(data && { data }), ...(transcript && { transcript }) } };
  }
}

/** Returns the fields of a whole message for the media in its parts. */
export function mediaFields(
  parts: readonly { readonly media: Media; readonly state: ProviderState | undefined }[],
  choiceIndex: number,
): { readonly audio?: object; readonly images?: readonly object[] } {
  const shown = parts.map((part) => ({ ...part, kind: shownMedia(part.media) }));
  const spoken = shown.filter(({ kind }) => kind === "audio");
  const images = shown.flatMap(({ kind, media }) => (kind === "image" ? [toImage(media, bytesOf(media.source))] : []));
  const state = spoken.findLast((part) => part.state !== undefined)?.state;
  const audio = spoken.length > 0 && {
    ...audioId(audioReference(state), state?.provider, choiceIndex),
    data: base64(Buffer.concat(spoken.flatMap(({ media }) => bytesOf(media.source)))),
    transcript: spoken.map(({ media }) => media.transcript).join(""),
  };
  return { ...(audio && { audio }), ...(images.length > 0 && { images }) };
}

function bytesOf(source: Media["source"]): readonly Uint8Array[] {
  return source.case === "data" ? [source.value] : [];
}

function toImage({ source, mediaType }: Media, pieces: readonly Uint8Array[]): object {
  const url = source.case === "url" ? source.value : `data:${mediaType};base64,${base64(Buffer.concat(pieces))}`;
  return { type: "image_url", image_url: { url } };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
