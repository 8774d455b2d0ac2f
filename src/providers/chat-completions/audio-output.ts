import { z } from "zod";
import { encodeAudioReference } from "../../chat/stream/audio-reference.ts";
import { type ChatEvent, mediaDelta } from "../../chat/stream/events.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { Base64Pieces } from "../kit/output-media.ts";
import { stateOf } from "../kit/provider-state.ts";

const text = z.string().nullish().catch(undefined);
const audio = z.object({
  id: text,
  data: text,
  transcript: text,
  expires_at: z.number().int().positive().nullish().catch(undefined),
});

/** Converts the audio of one choice: one part, of which a stream sends pieces. */
export class AudioOutput {
  readonly #call: UpstreamCall;
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  readonly #mediaType: string;
  readonly #base64 = new Base64Pieces();
  #part: number | undefined;
  #id = "";
  #expiresAt: number | undefined;

  constructor(call: UpstreamCall, choiceIndex: number, newPart: () => number, mediaType: string) {
    this.#call = call;
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
    this.#mediaType = mediaType;
  }

  /** Reads the field `audio` of a delta or message. Returns false if it is none. */
  read(value: unknown, batch: ChatEvent[]): boolean {
    const parsed = audio.safeParse(value);
    if (!parsed.success) return false;
    const { id, data, transcript, expires_at } = parsed.data;
    this.#id ||= id ?? "";
    this.#expiresAt = expires_at ?? this.#expiresAt;
    const bytes = this.#base64.decode(data ?? "");
    if (bytes.length > 0 || transcript) this.#push(bytes, transcript ?? "", batch);
    return true;
  }

  /** Appends the rest of the audio, and the state with which the next request refers to it. */
  end(batch: ChatEvent[]): void {
    const rest = this.#base64.end();
    if (rest.length > 0) this.#push(rest, "", batch);
    if (this.#part === undefined || this.#id === "") return;
    const reference = { id: this.#id, ...(this.#expiresAt !== undefined && { expires_at: this.#expiresAt }) };
    const event = mediaDelta(this.#choiceIndex, this.#part, {});
    event.value.providerState = stateOf(this.#call, encodeAudioReference(reference));
    batch.push(event);
  }

  #push(bytes: Uint8Array, transcript: string, batch: ChatEvent[]): void {
    const isFirst = this.#part === undefined;
    this.#part ??= this.#newPart();
    const source = bytes.length > 0 ? ({ case: "data", value: bytes } as const) : ({ case: undefined } as const);
    const mediaType = isFirst ? this.#mediaType : "";
    batch.push(mediaDelta(this.#choiceIndex, this.#part, { source, mediaType, transcript }));
  }
}
