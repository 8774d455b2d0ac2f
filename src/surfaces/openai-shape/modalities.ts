import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import { commonAudioTypes } from "./audio-types.ts";
import type { ObjectOf } from "./parts.ts";

const modalities = { text: Modality.TEXT, audio: Modality.AUDIO, image: Modality.IMAGE } as const;

/** Media types of OpenAI's formats of audio output. */
const audioTypes = { ...commonAudioTypes, opus: "audio/opus" } as const;

type AudioFormat = keyof typeof audioTypes;

/** Fields that request other output than text. */
export interface BodyOutput {
  readonly modalities?: readonly (keyof typeof modalities)[] | null | undefined;
  readonly audio?:
    | { readonly voice: string | { readonly id: string }; readonly format?: AudioFormat | null | undefined }
    | null
    | undefined;
}

/** Makes the schemas of `modalities`, with OpenRouter's `image`, and `audio`. */
export function outputFields(object: ObjectOf) {
  const voice = z.union([z.string(), object({ id: z.string() })], "must be a string, or an object with an id");
  const format = z.enum(["wav", "aac", "mp3", "flac", "opus", "pcm16"]).nullish();
  return {
    modalities: z.array(z.enum(["text", "audio", "image"])).nullish(),
    audio: object({ voice, format }).nullish(),
  };
}

/** Returns the fields of ChatRequest that request other output than text. */
export function readOutput({
  modalities: names,
  audio,
}: BodyOutput): Pick<
  Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>,
  "responseModalities" | "audioOutput"
> {
  const asksForMore = names?.some((name) => name !== "text") ?? false;
  const voice = typeof audio?.voice === "object" ? audio.voice.id : audio?.voice;
  return {
    ...(names && asksForMore && { responseModalities: names.map((name) => modalities[name]) }),
    ...(voice !== undefined && {
      audioOutput: { voice, ...(audio?.format && { mediaType: audioTypes[audio.format] }) },
    }),
  };
}
