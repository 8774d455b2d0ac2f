import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import { optionsAreOff } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, invalidRequest, type ReportViolation } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { FieldNames } from "../kit/field-names.ts";
import { toJsonText, toStruct } from "../kit/json-values.ts";
import { present } from "../kit/parse-request.ts";
import type { SurfaceRequest } from "../kit/surface.ts";
import { efforts } from "../openai-shape/reasoning.ts";
import { providerFields, type ResponsesBody } from "./body.ts";
import { readConversation } from "./conversation.ts";
import { includedOfTools, readLeftOut } from "./left-out.ts";
import { createNamer } from "./names.ts";
import { readToolChoice } from "./tool-choice.ts";
import { ToolNames } from "./tool-names.ts";
import { readTools } from "./tools.ts";

/** A translated body, and what its response needs. */
interface ReadRequest {
  readonly chat: ChatRequest;
  readonly extras: ExtraFields;
  readonly toolNames: ToolNames;
  /** The tools as the response repeats them. */
  readonly echoedTools: readonly object[];
  readonly nameField: (path: FieldPath) => FieldPath;
}

/** Translates a body. Throws INVALID_REQUEST for what Dragoman rejects. */
export function readRequest(body: ResponsesBody, { rejectsOptions = false }: SurfaceRequest): ReadRequest {
  const violations: FieldViolation[] = [];
  const report: ReportViolation = (field, description) => violations.push({ root: "body", field, description });
  const included = includedOfTools(body);
  const notIncluded = rejectsOptions ? included.map(([index]) => ["include", index]) : [];
  const leftOut = [...readLeftOut(body), ...notIncluded];
  const toolNames = new ToolNames();
  const conversation = readConversation(body.instructions, body.input, report);
  const tools = readTools(body.tools ?? [], toolNames);
  const { choice, leftOut: notChosen } = body.tool_choice
    ? readToolChoice(body.tool_choice, report)
    : { choice: undefined, leftOut: [] };
  if (body.stream_options && !body.stream) {
    report(["stream_options"], "requires stream to be true; set both or neither");
  }
  const fields = optionsOf(body);
  for (const name of rejectsOptions ? Object.keys(fields) : []) {
    report(name === "verbosity" ? ["text", name] : [name], optionsAreOff);
  }
  if (violations.length > 0) throw invalidRequest(violations);
  const chat: MessageInitShape<typeof ChatRequestSchema> = {
    model: body.model,
    messages: [...conversation.messages],
    parameters: readParameters(body),
    tools: [...tools.tools],
    ...(choice && { toolChoice: choice }),
    ...(typeof body.parallel_tool_calls === "boolean" && { parallelToolCalls: body.parallel_tool_calls }),
    ...present({ outputFormat: toOutputFormat(body.text?.format), reasoning: readReasoning(body.reasoning) }),
    ...(body.truncation === "auto" && { memoryStrategy: { strategy: { case: "autoTrim", value: {} } } }),
    promptCacheKey: body.prompt_cache_key ?? "",
    serviceTier: body.service_tier ?? "",
    user: body.safety_identifier ?? body.user ?? "",
  };
  return {
    chat: create(ChatRequestSchema, chat),
    extras: {
      fields: toStruct({ ...fields, ...(!rejectsOptions && includeField(included)) }, []),
      isDocumented: () => true,
      leftOut: [...leftOut, ...tools.leftOut, ...notChosen],
      equivalentTools: tools.equivalentTools,
      notes: [...tools.emulated.map(customNote), ...detailNotes(body)],
      turnsReasoningOn: false,
    },
    toolNames,
    echoedTools: tools.echo,
    nameField: createNamer(conversation.places, tools.places, namesOf(body)),
  };
}

/** The field `include` for OpenAI's own Responses API. */
function includeField(included: ReturnType<typeof includedOfTools>): { readonly include?: readonly string[] } {
  return included.length === 0 ? {} : { include: included.map(([, name]) => name) };
}

type Parameters = Exclude<NonNullable<MessageInitShape<typeof ChatRequestSchema>["parameters"]>, { $typeName: string }>;

/** Log probabilities are requested by `include`; `top_logprobs` alone requests them, too. */
function readParameters(body: ResponsesBody): Parameters {
  const topLogprobs = body.top_logprobs ?? undefined;
  const hasLogprobs = body.include?.includes("message.output_text.logprobs") || (topLogprobs ?? 0) > 0;
  return present({
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    maxOutputTokens: body.max_output_tokens ?? undefined,
    logprobs: hasLogprobs ? true : undefined,
    topLogprobs: hasLogprobs ? topLogprobs : undefined,
  });
}

/** Clients that request a summary show the reasoning. */
function readReasoning(reasoning: ResponsesBody["reasoning"]): MessageInitShape<typeof ChatRequestSchema>["reasoning"] {
  const { effort, summary, generate_summary } = reasoning ?? {};
  const shown = summary ?? generate_summary;
  const config = present({
    control: effort ? ({ case: "effort", value: efforts[effort] } as const) : undefined,
    format: shown && shown !== "none" ? ReasoningFormat.PARSED : undefined,
  });
  return Object.keys(config).length === 0 ? undefined : config;
}

function toOutputFormat(
  format: NonNullable<ResponsesBody["text"]>["format"],
): MessageInitShape<typeof OutputFormatSchema> | undefined {
  switch (format?.type) {
    case "json_object":
      return { format: { case: "jsonObject", value: {} } };
    case "json_schema": {
      const { name, description, schema, strict } = format;
      const value = { name, description: description ?? "", schemaJson: toJsonText(schema) };
      return { format: { case: "jsonSchema", value: { ...value, ...present({ strict: strict ?? undefined }) } } };
    }
    default:
      return undefined;
  }
}

/** Returns the fields that the model's provider receives, if its API has them. */
function optionsOf(body: ResponsesBody): Readonly<Record<string, unknown>> {
  const given: Readonly<Record<string, unknown>> = body;
  const named = Object.keys(providerFields).flatMap((name) =>
    given[name] === null || given[name] === undefined ? [] : [[name, given[name]] as const],
  );
  const verbosity = body.text?.verbosity;
  return Object.fromEntries([...named, ...(verbosity ? [["verbosity", verbosity] as const] : [])]);
}

function customNote(path: FieldPath) {
  const message = "the tool is sent as a function with one text parameter; its format is part of the description";
  return { reason: "EMULATED", path, message } as const;
}

/** Notes about images with more detail than the contract has. */
function detailNotes({ input }: ResponsesBody) {
  if (typeof input === "string") return [];
  return input.flatMap((item, index) => {
    const content = item.type === "function_call_output" ? item.output : item.type === "message" ? item.content : [];
    const parts = typeof content === "string" ? [] : content;
    return parts.flatMap((part, at) => {
      if (part.type !== "input_image" || part.detail !== "original") return [];
      const path = ["input", index, item.type === "message" ? "content" : "output", at, "detail"];
      return [{ reason: "ADJUSTED", path, message: "original is sent as high" } as const];
    });
  });
}

/** Returns the body paths of fields that have several names in this API. */
function namesOf(body: ResponsesBody): FieldNames {
  return {
    ...(body.safety_identifier && { user: "safety_identifier" }),
    ...(body.reasoning?.generate_summary &&
      !body.reasoning.summary && { "reasoning.format": "reasoning.generate_summary" }),
    ...(!body.include?.includes("message.output_text.logprobs") && { "parameters.logprobs": "top_logprobs" }),
  };
}
