import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { adapt, adaptOutgoing, type Draft } from "./draft.ts";
import { isCheckable } from "./emulate-schema.ts";
import type { PlanningContext } from "./planning-context.ts";
import { fitSchema } from "./schema/fit-schema.ts";
import type { MovedKeyword, SchemaTarget } from "./schema/schema-rules.ts";
import { sentOutput } from "./sent-output.ts";

type Context = Pick<PlanningContext, "model" | "schemas">;

/** Maximum number of keywords that a warning names. */
const mostNamed = 10;

/**
 * Rewrites JSON Schemas for the model's API, which rejects a request for a keyword that it does not accept. If the
 * rewritten output schema accepts more than the caller's, Dragoman validates the response against the caller's.
 *
 * Runs after `emulateSchema`, which puts the caller's own schema into the prompt for models and schemas without native
 * support.
 */
export function fitSchemas(draft: Draft, context: Context): Draft {
  if (context.schemas === undefined) return draft;
  return fitTools(fitOutput(draft, context.schemas, context), context.schemas, context);
}

function fitOutput(draft: Draft, { output }: SchemaTarget, { model }: Context): Draft {
  const { outputFormat } = draft.request;
  const format = outputFormat?.format;
  const sent = format && sentOutput(format, output);
  if (outputFormat === undefined || format?.case !== "jsonSchema") return draft;
  if (sent === undefined || "unsendable" in sent) return draft;
  const { json, loose, moved, unfit } = sent;
  const value = { ...format.value, schemaJson: json, ...(loose && { strict: false }) };
  const request: ChatRequest = {
    ...draft.request,
    outputFormat: { ...outputFormat, format: { case: "jsonSchema", value } },
  };
  if (moved.length === 0 && !loose) return { ...draft, request };
  const problem = loose
    ? `${model.id} cannot be constrained to ${unfit ?? "this schema"}; strict is sent as false`
    : `${model.id} does not accept ${named(moved)} in a JSON Schema`;
  const field = ["output_format", "json_schema", loose ? "strict" : "schema_json"];
  const isChecked = isCheckable(draft.asked.outputFormat);
  const adaptation: Adaptation = isChecked
    ? { kind: "EMULATED", field, message: `${problem}; Dragoman validates the response against the whole schema` }
    : {
        ...{ kind: "ADJUSTED", field, set: loose ? false : json },
        message: `${problem}; the response can violate the schema`,
      };
  return adapt({ ...draft, request, checksSchema: draft.checksSchema || isChecked }, [adaptation]);
}

function fitTools(draft: Draft, { tools: rules }: SchemaTarget, { model }: Context): Draft {
  if (rules === undefined || !draft.request.tools.some(({ kind }) => kind.case === "function")) return draft;
  const found: Adaptation[] = [];
  const tools = draft.request.tools.map((tool, index) => fitTool(tool, ["tools", index, "function"], rules));
  for (const { adaptations } of tools) {
    for (const { message, ...adaptation } of adaptations)
      found.push({ ...adaptation, message: `${model.id} ${message}` });
  }
  const request = { ...draft.request, tools: tools.map(({ tool }) => tool) };
  return adaptOutgoing({ ...draft, request }, found);
}

function fitTool(
  tool: Tool,
  path: FieldPath,
  { strict: strictRules, other = {} }: NonNullable<SchemaTarget["tools"]>,
): { readonly tool: Tool; readonly adaptations: readonly Adaptation[] } {
  const { kind } = tool;
  if (kind.case !== "function" || kind.value.parametersJsonSchema === "") return { tool, adaptations: [] };
  const { parametersJsonSchema: json, strict } = kind.value;
  const field = [...path, "parameters_json_schema"];
  const withSchema = (schema: string, more: { readonly strict?: boolean } = {}): Tool => ({
    ...tool,
    kind: { case: "function", value: { ...kind.value, parametersJsonSchema: schema, ...more } },
  });
  const fitted = strict === true && strictRules !== undefined ? fitSchema(json, strictRules) : undefined;
  if (fitted !== undefined && !("unfit" in fitted)) {
    const message = `does not accept ${named(fitted.moved)} in a strict tool; the arguments can violate the schema there`;
    const isLess = fitted.moved.length > 0;
    const adaptations: readonly Adaptation[] = isLess ? [{ kind: "ADJUSTED", field, message, set: fitted.json }] : [];
    return { tool: withSchema(fitted.json), adaptations };
  }
  const adaptations: Adaptation[] = [];
  if (fitted !== undefined) {
    const message = `cannot be constrained to ${fitted.unfit}; strict is sent as false`;
    adaptations.push({ kind: "ADJUSTED", field: [...path, "strict"], message, set: false });
  }
  const loose = fitSchema(json, other);
  if ("unfit" in loose) {
    return {
      tool,
      adaptations: [{ kind: "REJECTED", field, message: `does not accept ${loose.unfit}; use an object` }],
    };
  }
  if (loose.moved.length > 0) {
    const message = `does not accept ${named(loose.moved)} in the parameters of a tool; an object with all of the properties is sent`;
    adaptations.push({ kind: "EMULATED", field, message });
  }
  return { tool: withSchema(loose.json, fitted === undefined ? {} : { strict: false }), adaptations };
}

/** Names keywords with their places, such as `maximum (/properties/age)`. */
function named(moved: readonly MovedKeyword[]): string {
  const names = moved.slice(0, mostNamed).map(({ keyword, at }) => `${keyword} (${at.slice(0, 100)})`);
  const more = moved.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more keywords` : "");
}
