import { create } from "@bufbuild/protobuf";
import { type FieldPath, isSamePath, isWithin } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type OutputFormat, OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { adapt, type Draft, draftMessages, withMessages } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import { systemMessage } from "./system-text.ts";

/** Keywords that Dragoman does not validate: a caller could use them to make validation endless or very slow. */
const unchecked: readonly string[] = ["$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties"];

const formatField: FieldPath = ["output_format"];

/**
 * If the model or the provider's API does not support JSON Schema output, adds the schema to the prompt and validates
 * the response (`createJsonCheck`). Rejects schemas that Dragoman cannot validate safely.
 *
 * Runs after the defaults, because the system message that it adds must not exclude a profile's default instructions.
 * Runs before `keepLastMessages` and `placeSystemText`, which treat that message like the caller's own.
 */
export function emulateSchema(draft: Draft, context: Pick<PlanningContext, "model" | "checkSupport">): Draft {
  const { id, capabilities } = context.model;
  const { request } = draft;
  const format = request.outputFormat?.format;
  const rejects = (chat: ChatRequest) => context.checkSupport(chat).some(rejectsFormat);
  if (format?.case !== "jsonSchema") return draft;
  if (capabilities?.jsonSchema !== false && !rejects(request)) return draft;
  const field = ["output_format", "json_schema"];
  const keyword = uncheckedKeyword(JSON.parse(format.value.schemaJson));
  if (keyword !== undefined) {
    const message = `${id} does not support JSON Schema output, and Dragoman cannot validate ${keyword}; remove it`;
    return adapt(draft, [{ kind: "REJECTED", field, message }]);
  }
  const prompt = `Answer with JSON only, and nothing else. It must fit this JSON Schema: ${format.value.schemaJson}`;
  const problem = `${id} does not support JSON Schema output`;
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
  return format?.case === "jsonSchema" && uncheckedKeyword(JSON.parse(format.value.schemaJson)) === undefined;
}

/** Keywords whose value maps names that the caller chose to schemas. */
const schemaMaps: ReadonlySet<string> = new Set(["properties", "dependentSchemas", "$defs", "definitions"]);

/** Keywords whose value is data and not a schema. */
const dataKeywords: ReadonlySet<string> = new Set(["const", "enum", "default", "examples", "required"]);

/** Returns the first keyword in a schema, or in a schema inside it, that Dragoman cannot validate. */
function uncheckedKeyword(schema: unknown): string | undefined {
  if (typeof schema !== "object" || schema === null) return undefined;
  for (const [key, value] of Object.entries(schema)) {
    if (unchecked.includes(key)) return key;
    if (dataKeywords.has(key)) continue;
    for (const inner of schemaMaps.has(key) && value ? Object.values(value) : [value]) {
      const inside = uncheckedKeyword(inner);
      if (inside !== undefined) return inside;
    }
  }
  return undefined;
}

function describesObject(schemaJson: string): boolean {
  return JSON.parse(schemaJson).type === "object";
}
