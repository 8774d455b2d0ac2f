import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type ChatRequest, ChatRequestSchema } from "../gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../gen/dragoman/v1/tool_pb.js";
import type { ParameterName } from "../models/parameter-names.ts";

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

/** Optional field of ChatRequest whose support depends on the model. */
interface ParameterProbe {
  /** Path of the field in ChatRequest. */
  readonly path: string;
  /** Requests that set the field to a value with an effect. A model that supports one of them supports the field. */
  readonly requests: readonly ChatRequest[];
}

const text = (value: string) => ({ kind: { case: "text", value } }) as const;
const question = { role: Role.USER, parts: [text("hi")] };

function probeRequest(fields: Init): ChatRequest {
  return create(ChatRequestSchema, { model: "probe", messages: [question], ...fields });
}

const schemaJson =
  '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}';
const name = "look_up";
const tools = [{ kind: { case: "function", value: { name, parametersJsonSchema: schemaJson } } } as const];

/** Service tiers of all providers. */
const tiers = ["auto", "default", "standard", "standard_only", "flex", "priority"];

/** The requests that set each field, by its path. The value of a field is typical, and allowed by every profile. */
const inits: Readonly<Record<ParameterName, readonly Init[]>> = {
  "parameters.temperature": [{ parameters: { temperature: 0.5 } }],
  "parameters.top_p": [{ parameters: { topP: 0.9 } }],
  "parameters.top_k": [{ parameters: { topK: 40 } }],
  "parameters.min_p": [{ parameters: { minP: 0.1 } }],
  "parameters.max_output_tokens": [{ parameters: { maxOutputTokens: 256 } }],
  "parameters.min_output_tokens": [{ parameters: { minOutputTokens: 1 } }],
  "parameters.stop_sequences": [{ parameters: { stopSequences: ["END"] } }],
  "parameters.n": [{ parameters: { n: 2 } }],
  "parameters.seed": [{ parameters: { seedValue: { case: "seed", value: 7n } } }],
  "parameters.unsigned_seed": [{ parameters: { seedValue: { case: "unsignedSeed", value: 2n ** 63n } } }],
  "parameters.presence_penalty": [{ parameters: { presencePenalty: 0.5 } }],
  "parameters.frequency_penalty": [{ parameters: { frequencyPenalty: 0.5 } }],
  "parameters.repetition_penalty": [{ parameters: { repetitionPenalty: 1.1 } }],
  "parameters.logprobs": [{ parameters: { logprobs: true } }],
  "parameters.top_logprobs": [{ parameters: { logprobs: true, topLogprobs: 2 } }],
  "parameters.logit_bias": [{ parameters: { logitBias: { 1: 1 } } }],
  tools: [{ tools }],
  "tool_choice.mode": [{ tools, toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } } }],
  "tool_choice.tool_name": [{ tools, toolChoice: { choice: { case: "toolName", value: name } } }],
  "tool_choice.allowed_tools": [
    {
      tools,
      toolChoice: { choice: { case: "allowedTools", value: { mode: ToolChoiceMode.AUTO, toolNames: [name] } } },
    },
  ],
  parallel_tool_calls: [{ tools, parallelToolCalls: false }],
  "output_format.json_object": [{ outputFormat: { format: { case: "jsonObject", value: {} } } }],
  "output_format.json_schema": [
    { outputFormat: { format: { case: "jsonSchema", value: { name: "answer", schemaJson } } } },
  ],
  "output_format.regex": [{ outputFormat: { format: { case: "regex", value: { pattern: "[a-z]+" } } } }],
  "reasoning.effort": efforts().map(effortOf),
  "reasoning.budget_tokens": [{ reasoning: { control: { case: "budgetTokens", value: 2048 } } }],
  "reasoning.format": [{ reasoning: { format: ReasoningFormat.HIDDEN } }],
  "reasoning.clear_earlier_reasoning": [{ reasoning: { clearEarlierReasoning: true } }],
  instructions: [{ instructions: "Be brief." }],
  chat_template: [{ chatTemplate: "{{ messages[0].content }}" }],
  chat_template_kwargs: [{ chatTemplateKwargs: { probe: true } }],
  prompt_cache_key: [{ promptCacheKey: "probe" }],
  service_tier: tiers.map((serviceTier) => ({ serviceTier })),
  prediction: [{ prediction: { content: "probe" } }],
  user: [{ user: "probe" }],
  continue_last_message: [
    { continueLastMessage: true, messages: [question, { role: Role.ASSISTANT, parts: [text("Hel")] }] },
  ],
};

/** All efforts that a request can set. */
function efforts(): readonly ReasoningEffort[] {
  return Object.values(ReasoningEffort).filter(
    (value): value is ReasoningEffort => typeof value === "number" && value !== ReasoningEffort.UNSPECIFIED,
  );
}

function effortOf(value: ReasoningEffort): Init {
  return { reasoning: { control: { case: "effort", value } } };
}

/** The fields whose support depends on the model, in the order of `Model.supported_parameters`. */
export const parameterProbes: readonly ParameterProbe[] = Object.entries(inits).map(([path, fields]) => ({
  path,
  requests: fields.map(probeRequest),
}));

/** A request for each reasoning effort. Strict: otherwise a model would get the nearest effort that it has. */
export const effortProbes = efforts().map((effort) => ({
  effort,
  request: probeRequest({ ...effortOf(effort), strictParameters: true }),
}));

/** Creates a request with a temperature. */
export function temperatureProbe(temperature: number): ChatRequest {
  return probeRequest({ parameters: { temperature } });
}
