import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { FieldPath } from "../../field-path.ts";
import type { MediaSchema } from "../../gen/dragoman/v1/media_pb.js";
import type { ProviderStateSchema } from "../../gen/dragoman/v1/provider_state_pb.js";
import { mediaSource } from "../kit/data-uri.ts";
import { audioStateOf } from "./audio-id.ts";
import { base64, type ObjectOf } from "./parts.ts";

/** OpenAI's audio of an earlier response: its id, and for the other fields what the response had. */
interface BodyAudio {
  readonly id: string;
  readonly data?: Uint8Array<ArrayBufferLike> | null | undefined;
  readonly transcript?: string | null | undefined;
  readonly expires_at?: number | null | undefined;
}

/** Image of an earlier response, in the form that OpenRouter returns. */
interface BodyImage {
  readonly image_url: { readonly url: string };
}

/** Audio and images of an assistant message. */
export interface BodyOutputMedia {
  readonly audio?: BodyAudio | null | undefined;
  readonly images?: readonly BodyImage[] | null | undefined;
}

/** A part, and the path in the body's message from which it was read. */
interface MediaPart {
  readonly part: {
    readonly kind: { readonly case: "media"; readonly value: MessageInitShape<typeof MediaSchema> };
    readonly providerState?: MessageInitShape<typeof ProviderStateSchema>;
  };
  readonly place: FieldPath;
}

/** Makes the schemas of audio and images of an earlier response, which callers send back. */
export function outputMediaFields(object: ObjectOf) {
  const image_url = object({ url: z.string(), detail: z.string().nullish() });
  return {
    audio: object({
      id: z.string(),
      data: base64.nullish(),
      transcript: z.string().nullish(),
      expires_at: z.number().nullish(),
    }).nullish(),
    images: z
      .array(object({ type: z.literal("image_url").optional(), image_url, index: z.number().nullish() }))
      .nullish(),
  };
}

/** Media type of audio that a caller sends back: its own fields do not tell it. */
const replayedAudioType = "audio/pcm";

/** Returns the parts of an assistant message that are audio and images of an earlier response. */
export function replayedMedia({ audio, images }: BodyOutputMedia): readonly MediaPart[] {
  const pictures = (images ?? []).map(({ image_url: { url } }, index): MediaPart => {
    return { part: { kind: { case: "media", value: mediaSource(url) } }, place: ["images", index] };
  });
  if (!audio) return pictures;
  const { id, data, transcript, expires_at } = audio;
  const source = data?.length ? ({ case: "data", value: data } as const) : undefined;
  const value = { ...(source && { source, mediaType: replayedAudioType }), transcript: transcript ?? "" };
  const providerState = audioStateOf(id, expires_at);
  const spoken: MediaPart = {
    part: { kind: { case: "media", value }, ...(providerState && { providerState }) },
    place: ["audio"],
  };
  return [spoken, ...pictures];
}
