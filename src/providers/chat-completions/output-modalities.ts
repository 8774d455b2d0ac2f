import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import { emulated, rejected, unsupported } from "../kit/adaptations.ts";
import type { Body, Quirks } from "./quirks.ts";

const words = {
  [Modality.UNSPECIFIED]: undefined,
  [Modality.TEXT]: "text",
  [Modality.AUDIO]: "audio",
  [Modality.IMAGE]: "image",
  [Modality.VIDEO]: undefined,
  [Modality.DOCUMENT]: undefined,
} as const satisfies Record<Modality, string | undefined>;

/** OpenAI's audio formats by media type. `pcm16` has 24,000 samples of 16 bits per second, little-endian. */
const formats: Readonly<Record<string, string>> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/aac": "aac",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/flac": "flac",
  "audio/opus": "opus",
  "audio/pcm": "pcm16",
};

/** Media type of streamed audio: OpenAI streams only `pcm16`. */
const streamedType = "audio/pcm";

/** Reports a format of audio that the server cannot stream. */
export function wholeAudio(
  { audioOutput, responseModalities }: ChatRequest,
  { title }: Pick<Quirks, "title">,
): Adaptation | undefined {
  const mediaType = audioOutput?.mediaType ?? "";
  if (!responseModalities.includes(Modality.AUDIO) || mediaType === "" || mediaType === streamedType) return undefined;
  const message = `${title} streams audio only as ${streamedType}; the stream delivers the whole response at once`;
  return emulated(["audio_output", "media_type"], message);
}

/** Returns the media type of the audio in a response. */
export function audioTypeOf({ audioOutput }: ChatRequest, streamed: boolean): string {
  return audioOutput?.mediaType || (streamed ? streamedType : "audio/wav");
}

/** Returns the body fields that request other output than text. */
export function modalitiesBody(request: ChatRequest, streamed: boolean): Body {
  const { responseModalities, audioOutput } = request;
  if (!responseModalities.some((modality) => modality !== Modality.TEXT)) return {};
  return {
    modalities: responseModalities.map((modality) => words[modality]),
    ...(audioOutput && {
      audio: { voice: voiceOf(audioOutput.voice), format: formats[audioTypeOf(request, streamed)] },
    }),
  };
}

/** OpenAI accepts the ids of custom voices only in an object (types of openai 7.55.0). */
function voiceOf(voice: string): string | { readonly id: string } {
  return voice.startsWith("voice_") ? { id: voice } : voice;
}

/** Reports what the server does not support in the requested output. */
export function* modalityAdaptations(
  { responseModalities, audioOutput }: ChatRequest,
  { outputs, title }: Quirks,
): Generator<Adaptation> {
  if (outputs.length === 0) return;
  const isSupported = (modality: Modality) => modality === Modality.TEXT || outputs.includes(modality);
  const supported = responseModalities.filter(isSupported);
  if (supported.length < responseModalities.length) {
    const message = `${title} can return only text and ${outputs.map((modality) => words[modality]).join(" and ")}`;
    yield { kind: "ADJUSTED", field: ["response_modalities"], message, set: supported };
    if (audioOutput && !supported.includes(Modality.AUDIO)) yield unsupported(["audio_output"], message);
  } else if (responseModalities.includes(Modality.AUDIO) && audioOutput === undefined) {
    yield rejected(["audio_output"], `${title} has no default voice for audio; set audio_output.voice`);
  }
  const mediaType = audioOutput?.mediaType ?? "";
  if (mediaType !== "" && !Object.hasOwn(formats, mediaType)) {
    const message = `${title} supports only the audio formats ${Object.keys(formats).join(", ")}`;
    yield unsupported(["audio_output", "media_type"], message);
  }
}
