import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import type { ToolFields } from "../../chat/planning/extra-fields.ts";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import { type ReasoningConfigSchema, ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode, type ToolChoiceSchema, type ToolSchema } from "../../gen/dragoman/v1/tool_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import type { FieldNames } from "../kit/field-names.ts";
import { toJsonText, toStruct } from "../kit/json-values.ts";
import { present } from "../kit/parse-request.ts";
import { type BodyFunction, type BodyTool, type MessagesBody, readNames } from "./body.ts";
import { anthropic } from "./claude.ts";
import { readHint } from "./read-content.ts";
import { type ReadMessage, readMessages } from "./read-messages.ts";
import type { Unread } from "./unread.ts";

/** A translated body. */
interface ReadRequest {
  readonly chat: ChatRequest;
  readonly messages: readonly ReadMessage[];
  /** Fields of functions that FunctionTool lacks. */
  readonly toolFields: readonly ToolFields[];
  /** Whether the body turns reasoning on without an amount. */
  readonly turnsReasoningOn: boolean;
  /** Body paths of ChatRequest fields that the body can set in several ways. */
  readonly names: FieldNames;
}

/** What a translation needs besides the body. */
interface ReadContext {
  readonly catalog: Catalog;
  /** Names in the header `anthropic-beta`. */
  readonly betas: readonly string[];
  /** Whether the operator has turned provider options off. */
  readonly rejectsOptions: boolean;
}

/** Translates a body. */
export function readRequest(
  body: MessagesBody,
  { catalog, betas, rejectsOptions }: ReadContext,
  unread: Unread,
): ReadRequest {
  const messages = readMessages(body, unread);
  const { thinking, output_config: output, tool_choice: choice, tools, stop_sequences: stops } = body;
  if (body.metadata) unread.add(body.metadata, ["metadata"], readNames.metadata);
  if (thinking) unread.add(thinking, ["thinking"], readNames.thinking);
  if (choice) unread.add(choice, ["tool_choice"], readNames.toolChoice);
  const format = readFormat(body, unread);
  const isParallel = choice && choice.type !== "none" ? choice.disable_parallel_tool_use : undefined;
  const chat: MessageInitShape<typeof ChatRequestSchema> = {
    model: body.model,
    messages: messages.map(({ message }) => message),
    parameters: {
      ...present({
        maxOutputTokens: body.max_tokens ?? undefined,
        temperature: body.temperature ?? undefined,
        topP: body.top_p ?? undefined,
        topK: body.top_k ?? undefined,
      }),
      stopSequences: [...(stops ?? [])],
    },
    tools: (tools ?? []).map((tool, index) => {
      if (rejectsOptions && isFunction(tool)) unread.add(tool, ["tools", index], readNames.tool);
      return readTool(tool, index, toolProvider(body.model, catalog), unread);
    }),
    ...(choice && { toolChoice: readChoice(choice, tools ?? []) }),
    ...(typeof isParallel === "boolean" && { parallelToolCalls: !isParallel }),
    ...present({ outputFormat: format?.format, reasoning: readReasoning(body) }),
    serviceTier: body.service_tier ?? "",
    user: body.metadata?.user_id ?? "",
    providerOptions: betas.length === 0 ? {} : betaOptions(betas, catalog),
  };
  const effort = output?.effort ? "output_config.effort" : "thinking.type";
  return {
    chat: create(ChatRequestSchema, chat),
    messages,
    toolFields: rejectsOptions ? [] : readToolFields(tools ?? []),
    turnsReasoningOn: thinking?.type === "enabled" && !thinking.budget_tokens,
    names: {
      "reasoning.effort": effort,
      "reasoning.budget_tokens": "thinking.budget_tokens",
      ...(format && {
        output_format: format.place,
        "output_format.json_schema": format.place,
        "output_format.json_schema.schema_json": `${format.place}.schema`,
      }),
    },
  };
}

/** Options for all providers with Anthropic's API, which send the betas as a header. Other providers ignore them. */
function betaOptions(betas: readonly string[], catalog: Catalog): Record<string, JsonObject> {
  return Object.fromEntries(catalog.providersOf(anthropic).map((name) => [name, { betas: [...betas] }]));
}

/** Returns the provider whose tools a request names: that of the model, if it has Anthropic's tools. */
function toolProvider(model: string, catalog: Catalog): string {
  const provider = catalog.providerOf(model);
  return provider !== undefined && catalog.providersOf("bedrock").includes(provider) ? provider : anthropic;
}

function readTool(
  tool: BodyTool,
  index: number,
  provider: string,
  unread: Unread,
): MessageInitShape<typeof ToolSchema> {
  const place = ["tools", index];
  const hint = readHint(tool.cache_control, place, unread);
  if (isFunction(tool)) {
    const { name, description, input_schema: schema, strict } = tool;
    const value = { name, description: description ?? "", parametersJsonSchema: toJsonText(schema) };
    return { kind: { case: "function", value: { ...value, ...present({ strict: strict ?? undefined }) } }, ...hint };
  }
  const { type, cache_control: _, ...config } = tool;
  return { kind: { case: "providerTool", value: { provider, type, configJson: toJsonText(config) } }, ...hint };
}

/** Returns the fields of functions that FunctionTool lacks, such as `defer_loading`. */
function readToolFields(tools: readonly BodyTool[]): readonly ToolFields[] {
  return tools.flatMap((tool, index) => {
    if (!isFunction(tool)) return [];
    const members = Object.entries(tool).filter(
      ([name, value]) => !readNames.tool.has(name) && value !== null && value !== undefined,
    );
    return members.length === 0 ? [] : [{ index, fields: toStruct(Object.fromEntries(members), ["tools", index]) }];
  });
}

function isFunction(tool: BodyTool): tool is BodyFunction {
  return "input_schema" in tool && (tool.type ?? "custom") === "custom";
}

const choiceModes = { auto: ToolChoiceMode.AUTO, any: ToolChoiceMode.REQUIRED, none: ToolChoiceMode.NONE } as const;

function readChoice(
  choice: NonNullable<MessagesBody["tool_choice"]>,
  tools: readonly BodyTool[],
): MessageInitShape<typeof ToolChoiceSchema> {
  if (choice.type !== "tool") return { choice: { case: "mode", value: choiceModes[choice.type] } };
  const [only, ...others] = tools;
  // ChatRequest can name only a function. Claude Code names its only tool, a web search.
  if (only !== undefined && others.length === 0 && !isFunction(only) && only.name === choice.name) {
    return { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } };
  }
  return { choice: { case: "toolName", value: choice.name } };
}

const efforts = {
  low: ReasoningEffort.LOW,
  medium: ReasoningEffort.MEDIUM,
  high: ReasoningEffort.HIGH,
  xhigh: ReasoningEffort.XHIGH,
  max: ReasoningEffort.MAX,
} as const;

/**
 * Returns the amount and form of the reasoning. Anthropic documents that adaptive thinking without an effort is the same
 * as the effort high: https://platform.claude.com/docs/en/build-with-claude/effort
 */
function readReasoning({
  thinking,
  output_config: output,
}: MessagesBody): MessageInitShape<typeof ReasoningConfigSchema> | undefined {
  const effort = output?.effort ? efforts[output.effort] : undefined;
  if (!thinking) return effort && { control: { case: "effort", value: effort } };
  if (thinking.type === "disabled" || thinking.type === "between_tools") {
    return { control: { case: "effort", value: ReasoningEffort.NONE } };
  }
  const format = thinking.display === "omitted" ? { format: ReasoningFormat.HIDDEN } : {};
  if (thinking.type === "adaptive") return { control: { case: "effort", value: effort ?? efforts.high }, ...format };
  const { budget_tokens: budget } = thinking;
  if (budget) return { control: { case: "budgetTokens", value: budget }, ...format };
  return { ...(effort && { control: { case: "effort", value: effort } as const }), ...format };
}

interface ReadFormat {
  readonly format: MessageInitShape<typeof OutputFormatSchema>;
  readonly place: string;
}

/** Returns the output format. `output_format` is the name of the field in the beta of structured outputs. */
function readFormat(
  { output_config: output, output_format: former }: MessagesBody,
  unread: Unread,
): ReadFormat | undefined {
  if (output?.format && former) {
    const violation: FieldViolation = {
      root: "body",
      field: ["output_format"],
      description: "sets the output format, as output_config.format does; send only one of them",
    };
    throw invalidRequest([violation]);
  }
  const given = output?.format ?? former;
  if (!given) return undefined;
  const path = output?.format ? ["output_config", "format"] : ["output_format"];
  unread.add(given, path, readNames.format);
  const value = { name: "response", schemaJson: toJsonText(given.schema) };
  return { format: { format: { case: "jsonSchema", value } }, place: path.join(".") };
}
