import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { FieldPath } from "../../field-path.ts";
import { MediaDetail, type MediaSchema } from "../../gen/dragoman/v1/media_pb.js";
import type { ToolResultPartSchema } from "../../gen/dragoman/v1/message_pb.js";
import { mediaSource } from "../kit/data-uri.ts";
import { text } from "../openai-shape/body.ts";
import {
  base64,
  cacheMarks,
  fileData,
  closedObject as object,
  openAiAudioFormats,
  toAudioType,
  toCacheHint,
} from "../openai-shape/parts.ts";
import type { PartInit } from "./opaque.ts";

const { prompt_cache_breakpoint } = cacheMarks(object);
const marks = { prompt_cache_breakpoint };

const inputText = object({ type: z.literal("input_text"), text: z.string(), ...marks });

/** `detail` is required at OpenAI, but clients omit it. */
const inputImage = object({
  type: z.literal("input_image"),
  image_url: text,
  file_id: text,
  detail: z.enum(["auto", "low", "high", "original"]).nullish(),
  ...marks,
}).refine(({ image_url, file_id }) => !image_url !== !file_id, "must have either image_url or file_id");

const inputFile = object({
  type: z.literal("input_file"),
  file_data: fileData.nullish(),
  file_url: text,
  file_id: text,
  filename: text,
  detail: text,
  ...marks,
}).refine(
  ({ file_data, file_url, file_id }) => [file_data, file_url, file_id].filter(Boolean).length === 1,
  "must have one of file_data, file_url and file_id",
);

const inputAudio = object({
  type: z.literal("input_audio"),
  input_audio: object({ data: base64, format: z.enum(openAiAudioFormats).nullish() }),
});

const position = z.number().int().nonnegative().nullish();

/** Sources that Dragoman reads; it leaves out the others. */
const annotation = z.looseObject({
  type: z.string(),
  url: text,
  title: text,
  start_index: position,
  end_index: position,
  file_id: text,
  filename: text,
});

/** Text of an assistant message. Clients send the items of responses back, with fields of their own. */
const outputText = z.looseObject({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(annotation).nullish(),
});
const refusal = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });

const problem = "must be a string or a list of parts";

/** Content of a user, system or developer message. */
export const inputContent = z.union(
  [z.string(), z.array(z.discriminatedUnion("type", [inputText, inputImage, inputFile, inputAudio]))],
  problem,
);

/** Content of an assistant message. Clients that write one themselves use `input_text`. */
export const outputContent = z.union(
  [z.string(), z.array(z.discriminatedUnion("type", [outputText, refusal, inputText]))],
  problem,
);

/** Output of a tool that the client ran. */
export const toolOutput = z.union(
  [z.string(), z.array(z.discriminatedUnion("type", [inputText, outputText, inputImage, inputFile]))],
  problem,
);

export type InputPart = Exclude<z.output<typeof inputContent>, string>[number];
type ToolOutputPart = Exclude<z.output<typeof toolOutput>, string>[number];

/** Part of a message, and the path in the body's item from which it was read. */
export interface PlacedPart {
  readonly part: PartInit;
  readonly place: FieldPath;
}

/** Returns the parts of a content. */
export function inputParts(content: z.output<typeof inputContent>): readonly PlacedPart[] {
  if (typeof content === "string") {
    return [{ part: { kind: { case: "text", value: content } }, place: ["content"] }];
  }
  return content.map((part, index) => {
    const cacheHint = part.type === "input_audio" ? undefined : toCacheHint(part);
    return { part: { kind: kindOf(part), ...(cacheHint && { cacheHint }) }, place: ["content", index] };
  });
}

function kindOf(part: InputPart): NonNullable<PartInit["kind"]> {
  if (part.type === "input_text") return { case: "text", value: part.text };
  return { case: "media", value: mediaOf(part) };
}

function mediaOf(part: Exclude<InputPart, { type: "input_text" }>): MessageInitShape<typeof MediaSchema> {
  switch (part.type) {
    case "input_image": {
      const { image_url, file_id, detail } = part;
      const source = image_url
        ? mediaSource(image_url)
        : ({ source: { case: "fileId", value: file_id ?? "" }, mediaType: "image/png" } as const);
      return { ...source, ...(detail && { detail: details[detail] }) };
    }
    case "input_file": {
      const { file_data, file_url, file_id, filename } = part;
      const address = file_url
        ? ({ case: "url", value: file_url } as const)
        : ({ case: "fileId", value: file_id ?? "" } as const);
      const file = file_data ?? { source: address, mediaType: "application/pdf" };
      return { ...file, ...(filename && { filename }) };
    }
    case "input_audio": {
      const { data, format } = part.input_audio;
      return { source: { case: "data", value: data }, mediaType: toAudioType(format) };
    }
    default:
      return part satisfies never;
  }
}

/** The contract has no detail above high. */
const details = {
  auto: MediaDetail.AUTO,
  low: MediaDetail.LOW,
  high: MediaDetail.HIGH,
  original: MediaDetail.HIGH,
} as const;

/** Returns the content of a tool result. */
export function resultParts(
  output: z.output<typeof toolOutput>,
): readonly Exclude<MessageInitShape<typeof ToolResultPartSchema>, { $typeName: string }>[] {
  if (typeof output === "string") return [{ kind: { case: "text", value: output } }];
  return output.map((part: ToolOutputPart) =>
    part.type === "input_text" || part.type === "output_text"
      ? { kind: { case: "text", value: part.text } }
      : { kind: { case: "media", value: mediaOf(part) } },
  );
}
