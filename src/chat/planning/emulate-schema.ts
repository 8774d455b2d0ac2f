import { create } from "@bufbuild/protobuf";
import { type FieldPath, isSamePath, isWithin } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type OutputFormat, OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { adapt, type Draft, draftMessages, withMessages } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import { uncheckedPart } from "./schema/unchecked-part.ts";
import { sentOutput } from "./sent-output.ts";
import { systemMessage } from "./system-text.ts";

const formatField: FieldPath = ["output_format"];

/**
 * If the model or the provider's API does not support JSON Schema output, adds the schema to the prompt and validates
 * the response (`createJsonCheck`). Rejects schemas that Dragoman cannot validate safely.
 *
 * Runs after the defaults, because the system message that it adds must not exclude a profile's default instructions.
 * Runs before `keepLastMessages` and `placeSystemText`, which treat that message like the caller's own.
 */
export function emulateSchema(
  draft: Draft,
  context: Pick<PlanningContext, "model" | "schemas" | "checkSupport">,
): Draft {
  const { id, capabilities } = context.model;
  const { request } = draft;
  const format = request.outputFormat?.format;
  const rejects = (chat: ChatRequest) => context.checkSupport(chat).some(rejectsFormat);
  if (format?.case !== "jsonSchema") return draft;
  const isNative = capabilities?.jsonSchema !== false && !rejects(request);
  const sent = isNative ? sentOutput(format, context.schemas?.output) : undefined;
  if (isNative && (sent === undefined || !("unsendable" in sent))) return draft;
  const field = ["output_format", "json_schema"];
  const problem =
    sent !== undefined && "unsendable" in sent
      ? `${id} cannot be constrained to ${sent.unsendable}`
      : `${id} does not support JSON Schema output`;
  const unchecked = uncheckedPart(JSON.parse(format.value.schemaJson));
  if (unchecked !== undefined) {
    const message = `${problem}, and Dragoman cannot validate ${unchecked}; remove it`;
    return adapt(draft, [{ kind: "REJECTED", field, message }]);
  }
  const prompt = `Answer with JSON only, and nothing else. It must fit this JSON Schema: ${format.value.schemaJson}`;
  const message = `${problem}; Dragoman adds the schema to the prompt and validates the response`;
  const { outputFormat: _, ...rest } = request;
  const unheld = withMessages({ ...draft, request: rest, checksSchema: true }, [
    systemMessage(prompt),
    ...draftMessages(draft),
  ]);
  const outputFormat = create(OutputFormatSchema, { format: { case: "jsonObject", value: {} } });
  const asObject: ChatRequest = { ...unheld.request, outputFormat };
  const canBeObject =
    describesObject(format.value.schemaJson) && capabilities?.jsonObject !== false && !rejects(asObject);
  const emulated = canBeObject ? { ...unheld, request: asObject } : unheld;
  return adapt(emulated, [{ kind: "EMULATED", field, message }]);
}

function rejectsFormat({ kind, field }: Adaptation): boolean {
  return kind === "REJECTED" && isWithin(field, formatField);
}

/** Whether an adaptation replaces the output format with a less strict one. */
export function loosensFormat({ kind, field }: Adaptation): boolean {
  return kind === "ADJUSTED" && isSamePath(field, formatField);
}

/** Whether Dragoman can validate a response against the output format's schema. */
export function isCheckable(outputFormat: OutputFormat | undefined): boolean {
  const format = outputFormat?.format;
  return format?.case === "jsonSchema" && uncheckedPart(JSON.parse(format.value.schemaJson)) === undefined;
}

function describesObject(schemaJson: string): boolean {
  return JSON.parse(schemaJson).type === "object";
}
