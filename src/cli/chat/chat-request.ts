import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { UsageError } from "../failures.ts";
import { printable } from "../table.ts";
import { attachedFile, attachedImage } from "./attachments.ts";
import { parseJson, readJsonFile } from "./json-values.ts";
import { setField } from "./request-fields.ts";
import type { RequestValues } from "./request-options.ts";
import { readTools, schemaName } from "./tool-files.ts";

/**
 * Builds the request of a command from its options and its prompt. Reads the files that the options name. Throws
 * UsageError. `prompt`: empty if only the options have content, such as the first request of a dialog.
 */
export function chatRequest(values: RequestValues, prompt: string): ChatRequest {
  if (values.model === undefined) {
    throw new UsageError("--model is missing; write a model, which `dragoman models` lists, such as --model echo/echo");
  }
  const request: JsonObject = { model: values.model, messages: messagesOf(values, prompt) };
  const parameters: JsonObject = {
    ...(values["max-output-tokens"] !== undefined && {
      max_output_tokens: numberOf("max-output-tokens", values["max-output-tokens"], /^\d{1,9}$/),
    }),
    ...(values.temperature !== undefined && {
      temperature: numberOf("temperature", values.temperature, /^\d+(\.\d+)?$/),
    }),
  };
  if (Object.keys(parameters).length > 0) request.parameters = parameters;
  if (values.tool !== undefined) request.tools = values.tool.flatMap(readTools);
  if (values.schema !== undefined) request.output_format = { json_schema: schemaOf(values.schema) };
  if (values.thinking !== undefined) request.reasoning = reasoningOf(values.thinking);
  if (values["provider-options"] !== undefined) {
    request.provider_options = parseJson("--provider-options", values["provider-options"]);
  }
  for (const text of values.param ?? []) setField(request, text);
  try {
    return fromJson(ChatRequestSchema, request);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `the request is not valid: ${printable(message)}; check --param, --tool and --provider-options`,
    );
  }
}

function messagesOf({ system, image = [], file = [] }: RequestValues, prompt: string): JsonValue[] {
  const parts = [...file.map(attachedFile), ...image.map(attachedImage)];
  if (prompt !== "") parts.push({ text: prompt });
  return [
    ...(system === undefined ? [] : [{ role: "ROLE_SYSTEM", parts: [{ text: system }] }]),
    ...(parts.length === 0 ? [] : [{ role: "ROLE_USER", parts }]),
  ];
}

function schemaOf(path: string): JsonObject {
  return { name: schemaName(path), schema_json: JSON.stringify(readJsonFile("schema", path)) };
}

function reasoningOf(text: string): JsonObject {
  if (/^\d{1,9}$/.test(text)) return { budget_tokens: Number(text) };
  const name = text.toUpperCase();
  if (name !== "UNSPECIFIED" && name in ReasoningEffort && /^[A-Z]+$/.test(name)) {
    return { effort: `REASONING_EFFORT_${name}` };
  }
  throw new UsageError(
    "--thinking is no amount; write none, minimal, low, medium, high, xhigh, max or a number of tokens",
  );
}

function numberOf(option: string, text: string, pattern: RegExp): number {
  if (pattern.test(text)) return Number(text);
  throw new UsageError(
    `--${option} is no number that it accepts; write one such as ${option === "temperature" ? "0.7" : "500"}`,
  );
}
