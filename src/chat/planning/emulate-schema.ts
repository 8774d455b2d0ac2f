import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type OutputFormat, OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { systemMessage } from "./prepare.ts";

/** A request for a model, with what stands for a JSON Schema that the model cannot be held to. */
export interface EmulatedSchema {
  readonly request: ChatRequest;
  readonly adaptations: readonly Adaptation[];
}

/** Keywords that can make a check run without end, or exponentially long, on an answer that a caller arranges. */
const unchecked: readonly string[] = ["$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties"];

/**
 * Where a model cannot be held to a JSON Schema, or its dialect has none (`refuses` says of a request whether it takes
 * the form of its answer), it is told the schema instead, and the answer is checked against it here (createJsonCheck).
 * Schemas that cannot be checked safely here are refused.
 */
export function emulateSchema(
  chat: ChatRequest,
  { id, capabilities }: Model,
  refuses: (chat: ChatRequest) => boolean,
): EmulatedSchema {
  const format = chat.outputFormat?.format;
  if (format?.case !== "jsonSchema") return { request: chat, adaptations: [] };
  if (capabilities?.jsonSchema !== false && !refuses(chat)) return { request: chat, adaptations: [] };
  const field = "output_format.json_schema";
  const keyword = uncheckedKeyword(JSON.parse(format.value.schemaJson));
  if (keyword !== undefined) {
    const message = `${id} does not fit its answer to a JSON Schema, and one with ${keyword} cannot be checked here`;
    return { request: chat, adaptations: [{ kind: "REJECTED", field, message }] };
  }
  const told = `Answer with JSON only, and nothing else. It must fit this JSON Schema: ${format.value.schemaJson}`;
  const message = `${id} cannot be held to a JSON Schema: it is told the schema, and the answer is checked here`;
  const { outputFormat: _, ...rest } = chat;
  const unheld: ChatRequest = { ...rest, messages: [systemMessage(told), ...chat.messages] };
  const outputFormat = create(OutputFormatSchema, { format: { case: "jsonObject", value: {} } });
  const asObject: ChatRequest = { ...unheld, outputFormat };
  const canBeObject =
    describesObject(format.value.schemaJson) && capabilities?.jsonObject !== false && !refuses(asObject);
  return { request: canBeObject ? asObject : unheld, adaptations: [{ kind: "EMULATED", field, message }] };
}

/** Whether an answer can be checked here against the schema of a form. */
export function isCheckable(outputFormat: OutputFormat | undefined): boolean {
  const format = outputFormat?.format;
  return format?.case === "jsonSchema" && uncheckedKeyword(JSON.parse(format.value.schemaJson)) === undefined;
}

function uncheckedKeyword(schema: unknown): string | undefined {
  if (typeof schema !== "object" || schema === null) return undefined;
  for (const [key, value] of Object.entries(schema)) {
    if (unchecked.includes(key)) return key;
    const inside = uncheckedKeyword(value);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function describesObject(schemaJson: string): boolean {
  return JSON.parse(schemaJson).type === "object";
}
