import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { seedValue } from "../../chat/planning/seed.ts";
import { type FieldViolation, invalidRequest, type ReportViolation } from "../../errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import { Role } from "../../gen/dragoman/v1/message_pb.js";
import type { OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import type { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { ToolChoiceMode, type ToolSchema } from "../../gen/dragoman/v1/tool_pb.js";
import type { FieldNames } from "../kit/field-names.ts";
import { toJsonText, toStruct } from "../kit/json-values.ts";
import { present } from "../kit/parse-request.ts";
import type { BodyFormat, BodyTool, BodyToolChoice, OpenAiBody } from "./body.ts";
import { readGuides } from "./guided-output.ts";
import { isToContinue, namesOfCalls, type ReadMessage, textOf, toMessage } from "./messages.ts";
import { readOutput } from "./modalities.ts";
import { toCacheHint } from "./parts.ts";
import { readReasoning } from "./reasoning.ts";

/** Differences between the requests of the APIs of this shape. */
export interface RequestOptions {
  /** Level of detail for images without one. Default: none is set. */
  readonly imageDetail?: MediaDetail;
  /** Whether a token count of -1 means the maximum (Cerebras). */
  readonly minusOneIsMost: boolean;
  /** Default of `stream_options.include_usage`. */
  readonly usageByDefault: boolean;
  /** Whether assistant messages may have no content, as in responses of Dragoman. Default false. */
  readonly emptyMessages?: boolean;
  /** Providers that have this API. Only these receive fields that ChatRequest lacks, as provider options. */
  readonly providers: readonly string[];
  /** Provider of `reasoning_details` that a caller sends back. Default `openrouter`. */
  readonly detailsProvider?: string;
}

/** A translated body, and the settings that its response needs. */
interface ReadRequest {
  readonly chat: ChatRequest;
  readonly messages: readonly ReadMessage[];
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  /** Whether the body turns reasoning on without an amount. */
  readonly turnsReasoningOn: boolean;
  /** Body paths of ChatRequest fields that the body can set in several ways. */
  readonly names: FieldNames;
}

/**
 * Translates a body. `extraOptions` become provider options for `requestOptions.providers`. Throws INVALID_REQUEST if
 * fields conflict.
 */
export function readRequest(
  body: OpenAiBody,
  model: string,
  requestOptions: RequestOptions,
  extraOptions: JsonObject,
): ReadRequest {
  const violations: FieldViolation[] = [];
  const report: ReportViolation = (field, description) => violations.push({ root: "body", field, description });
  const calledNames = namesOfCalls(body.messages);
  const messages = body.messages.map((message) => toMessage(message, requestOptions, calledNames));
  for (const [index, { message }] of requestOptions.emptyMessages ? [] : messages.entries()) {
    if (message.role !== Role.ASSISTANT || message.parts?.length !== 0) continue;
    report(["messages", index, "content"], "is required in an assistant message without tool_calls");
  }
  const lengths = readLengths(body, requestOptions, report);
  const options = { ...extraOptions, ...lengths.options };
  const optionsFor = Object.keys(options).length === 0 ? [] : requestOptions.providers;
  const reasoning = readReasoning(body, report);
  const hasFormat = body.response_format?.type !== undefined && body.response_format.type !== "text";
  const guides = readGuides(body, hasFormat, report);
  const outputFormat = guides.format ?? (body.response_format ? toOutputFormat(body.response_format) : undefined);
  const chat: MessageInitShape<typeof ChatRequestSchema> = {
    model,
    messages: messages.map(({ message }) => message),
    parameters: { ...readParameters(body), ...lengths.parameters },
    tools: (body.tools ?? []).map(toTool),
    ...(body.tool_choice && { toolChoice: toToolChoice(body.tool_choice) }),
    ...(typeof body.parallel_tool_calls === "boolean" && { parallelToolCalls: body.parallel_tool_calls }),
    ...present({ outputFormat, reasoning: reasoning.config }),
    ...readOutput(body),
    ...(body.prediction && { prediction: { content: textOf(body.prediction.content) } }),
    ...(body.chat_template_kwargs && {
      chatTemplateKwargs: toStruct(body.chat_template_kwargs, ["chat_template_kwargs"]),
    }),
    ...(body.model_parameters && { deploymentParameters: toStruct(body.model_parameters, ["model_parameters"]) }),
    promptCacheKey: body.prompt_cache_key ?? "",
    serviceTier: body.service_tier ?? "",
    user: body.safety_identifier ?? body.user ?? "",
    continueLastMessage: body.continue_final_message ?? isToContinue(body.messages.at(-1)),
    providerOptions: Object.fromEntries(optionsFor.map((provider) => [provider, options])),
  };
  if (body.stream_options && !body.stream)
    report(["stream_options"], "requires stream to be true; set both or neither");
  if (violations.length > 0) throw invalidRequest(violations);
  return {
    chat: create(ChatRequestSchema, chat),
    messages,
    includeUsage: body.stream_options?.include_usage ?? requestOptions.usageByDefault,
    continuousUsage: body.stream_options?.continuous_usage_stats ?? false,
    turnsReasoningOn: reasoning.isOn,
    names: { ...writtenNames(body), ...guides.names, ...reasoning.names },
  };
}

/** Returns the body paths of fields that have several names, or several forms, in these APIs. */
function writtenNames(body: OpenAiBody): FieldNames {
  const { response_format: format, stop } = body;
  const has = (name: keyof OpenAiBody) => typeof (body[name] ?? undefined) !== "undefined";
  return {
    ...(has("max_tokens") !== has("max_completion_tokens") && {
      "parameters.max_output_tokens": has("max_tokens") ? "max_tokens" : "max_completion_tokens",
    }),
    ...(has("min_tokens") && !has("min_completion_tokens") && { "parameters.min_output_tokens": "min_tokens" }),
    ...(typeof stop === "string" && { "parameters.stop_sequences.*": "stop" }),
    ...(has("safety_identifier") && { user: "safety_identifier" }),
    ...(format?.type === "json_schema" && format.isInline && inlineNames),
  };
}

const inlineNames = {
  "output_format.json_schema": "response_format",
  "output_format.json_schema.schema_json": "response_format.schema",
};

type Parameters = Exclude<MessageInitShape<typeof GenerationParametersSchema>, NonNullable<ChatRequest["parameters"]>>;

function readParameters(body: OpenAiBody): Parameters {
  const { seed, stop } = body;
  return {
    ...present({
      temperature: body.temperature ?? undefined,
      topP: body.top_p ?? undefined,
      topK: body.top_k ?? undefined,
      minP: body.min_p ?? undefined,
      n: body.n ?? undefined,
      seedValue: seed === null || seed === undefined ? undefined : seedValue(BigInt(seed)),
      presencePenalty: body.presence_penalty ?? undefined,
      frequencyPenalty: body.frequency_penalty ?? undefined,
      repetitionPenalty: body.repetition_penalty ?? undefined,
      logprobs: body.logprobs ?? undefined,
      topLogprobs: body.top_logprobs ?? undefined,
    }),
    stopSequences: typeof stop === "string" ? [stop] : [...(stop ?? [])],
    logitBias: { ...body.logit_bias },
  };
}

interface Lengths {
  readonly parameters: Pick<Parameters, "maxOutputTokens" | "minOutputTokens">;
  /** Provider options for `RequestOptions.providers`. */
  readonly options: JsonObject;
}

function readLengths(body: OpenAiBody, { minusOneIsMost }: RequestOptions, report: ReportViolation): Lengths {
  const given = {
    max: agreed(body, "max_completion_tokens", "max_tokens", report),
    min: agreed(body, "min_completion_tokens", "min_tokens", report),
  };
  const isMost = (tokens: number | undefined) => minusOneIsMost && tokens === -1;
  const max = isMost(given.max) ? undefined : given.max;
  // A minimum of -1 means the maximum that the caller sets. If the caller sets none, the provider receives the -1.
  const min = isMost(given.min) ? max : given.min;
  const isOpen = isMost(given.min) && max === undefined;
  return {
    parameters: present({ maxOutputTokens: max, minOutputTokens: min }),
    options: isOpen ? { min_completion_tokens: -1 } : {},
  };
}

type Count = "max_completion_tokens" | "max_tokens" | "min_completion_tokens" | "min_tokens";

/** Returns the value of a field that has two names. Reports different values. */
function agreed(body: OpenAiBody, name: Count, alias: Count, report: ReportViolation): number | undefined {
  const value = body[name] ?? undefined;
  const other = body[alias] ?? undefined;
  if (value !== undefined && other !== undefined && value !== other) {
    report([alias], `differs from ${name}, which means the same; send only one of them`);
  }
  return value ?? other;
}

function toTool(tool: BodyTool): MessageInitShape<typeof ToolSchema> {
  const { name, description, parameters, strict } = tool.function;
  const parametersJsonSchema = parameters ? toJsonText(parameters) : "";
  const value = {
    name,
    description: description ?? "",
    parametersJsonSchema,
    ...present({ strict: strict ?? undefined }),
  };
  return {
    kind: { case: "function", value },
    ...present({ cacheHint: toCacheHint(tool) ?? toCacheHint(tool.function) }),
  };
}

const choiceModes = {
  none: ToolChoiceMode.NONE,
  auto: ToolChoiceMode.AUTO,
  required: ToolChoiceMode.REQUIRED,
} as const;

function toToolChoice(choice: BodyToolChoice) {
  if (typeof choice === "string") return { choice: { case: "mode", value: choiceModes[choice] } } as const;
  if ("allowed_tools" in choice) {
    const { mode, tools } = choice.allowed_tools;
    const value = { mode: choiceModes[mode], toolNames: tools.map((tool) => tool.function.name) };
    return { choice: { case: "allowedTools", value } } as const;
  }
  return { choice: { case: "toolName", value: choice.function.name } } as const;
}

function toOutputFormat(format: BodyFormat): MessageInitShape<typeof OutputFormatSchema> {
  switch (format.type) {
    case "text":
      return { format: { case: "text", value: {} } };
    case "json_object":
      return { format: { case: "jsonObject", value: {} } };
    case "json_schema": {
      const { name, description, schema, strict } = format.json_schema;
      const value = { name, description: description ?? "", schemaJson: toJsonText(schema ?? {}) };
      return { format: { case: "jsonSchema", value: { ...value, ...present({ strict: strict ?? undefined }) } } };
    }
    case "regex":
      return { format: { case: "regex", value: { pattern: format.regex } } };
    default:
      return format satisfies never;
  }
}
