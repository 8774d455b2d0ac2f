import { mediaKind } from "../../chat/planning/media-kind.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Emit, emitAdded, emitDone, type OpenItem, type Place, placeOf } from "./open-item.ts";
import type { ImageItem } from "./wire.ts";

const formats: ReadonlyMap<string, NonNullable<ImageItem["output_format"]>> = new Map([
  ["image/png", "png"],
  ["image/webp", "webp"],
  ["image/jpeg", "jpeg"],
  ["image/gif", "gif"],
]);

/** Returns the media type of an image in the field `result`. PNG is OpenAI's default. */
export function imageTypeOf(format: string | null | undefined): string {
  return `image/${format === "svg" ? "svg+xml" : (format ?? "png")}`;
}

/** Whether an item shows media, by its first delta: an image with its bytes. */
export function isShownImage(media: Media): boolean {
  return media.source.case === "data" && mediaKind(media) === "image";
}

/** Image of the output. */
export class OpenImage implements OpenItem {
  readonly id: string;
  readonly index: number;
  readonly part: number;
  readonly #emit: Emit;
  readonly #pieces: Uint8Array[] = [];
  readonly #format: ImageItem["output_format"];
  #isClosed = false;

  constructor({ id, index }: Place, part: number, media: Media, emit: Emit) {
    this.id = id;
    this.index = index;
    this.part = part;
    this.#emit = emit;
    this.#format = formats.get(media.mediaType);
    emitAdded(emit, this, this.item);
    emit({ type: "response.image_generation_call.in_progress", ...placeOf(this) });
    emit({ type: "response.image_generation_call.generating", ...placeOf(this) });
  }

  get item(): ImageItem {
    return {
      id: this.id,
      type: "image_generation_call",
      status: this.#isClosed ? "completed" : "in_progress",
      result: this.#isClosed ? this.bytes.toString("base64") : null,
      ...(this.#format && { output_format: this.#format }),
    };
  }

  write({ source }: Media): void {
    if (source.case === "data") this.#pieces.push(source.value);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  close(): void {
    this.#isClosed = true;
    this.#emit({ type: "response.image_generation_call.completed", ...placeOf(this) });
    emitDone(this.#emit, this, this.item);
  }
}
