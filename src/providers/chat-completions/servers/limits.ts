import { reflectList } from "@bufbuild/protobuf/reflect";
import type { Adaptation } from "../../../chat/planning/adaptations.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../gen/dragoman/v1/reasoning_pb.js";
import { refused, unsupported } from "../../kit/adaptations.ts";
import { effortOf, isNeutral, type OptionalField, optionalFields } from "../fields.ts";

/** Cerebras' own limits on `queue_threshold`, in milliseconds, and the tiers that have it. */
const queueThreshold = { least: 50, most: 20_000, tiers: ["auto", "flex"] };

export function asksForJson({ outputFormat }: ChatRequest): boolean {
  return outputFormat?.format.case === "jsonObject" || outputFormat?.format.case === "jsonSchema";
}

export function* cerebrasAdaptations(request: ChatRequest): Generator<Adaptation> {
  if (asksForJson(request)) {
    const message = "Cerebras does not stream JSON: a stream gets the whole answer at once";
    yield { kind: "EMULATED", field: "output_format", message };
  }
  const threshold = request.providerOptions.cerebras?.queue_threshold;
  if (threshold === undefined) return;
  const { least, most, tiers } = queueThreshold;
  const isRight = typeof threshold === "number" && threshold >= least && threshold <= most;
  if (!isRight || !tiers.includes(request.serviceTier)) {
    const message = `Cerebras takes a queue_threshold of ${least} to ${most} with the service tiers ${tiers.join(" and ")}`;
    yield { kind: "REJECTED", field: "provider_options", message };
  }
}

/** Source: the model catalog of the npm package @ai-sdk/openai 4.0.118. */
export function* openAiAdaptations({ parameters }: ChatRequest, { providerModel }: Model): Generator<Adaptation> {
  if (/^gpt-5(\.\d+)?-(pro|codex)/.test(providerModel)) {
    yield refused("model", `OpenAI answers for ${providerModel} only on its Responses API: use another model`);
  }
  const { temperature = 1 } = parameters ?? {};
  if (temperature !== 1 && /^gpt-4o.*-search-preview/.test(providerModel)) {
    yield unsupported("parameters.temperature", `the model ${providerModel} does not take a temperature`);
  }
}

/** With tools it takes only reasoning that is apart from the text. https://console.groq.com/docs/reasoning */
export function* groqAdaptations({ reasoning, tools }: ChatRequest): Generator<Adaptation> {
  if (reasoning?.format !== ReasoningFormat.RAW || tools.length === 0) return;
  yield unsupported("reasoning.format", "Groq does not leave the reasoning inside the text where there are tools");
}

/** DeepInfra does not hold the arguments of tools to their schema. */
export function* deepInfraAdaptations({ tools }: ChatRequest): Generator<Adaptation> {
  if (!tools.some(({ strict }) => strict === true)) return;
  const field = ChatRequestSchema.field.tools;
  if (field.fieldKind !== "list") throw new Error("tools is a list");
  const set = reflectList(
    field,
    tools.map(({ strict: _, ...tool }) => tool),
  );
  yield { kind: "ADJUSTED", field: "tools", message: "DeepInfra does not take strict for a tool", set };
}

/** It thinks unless it is told not to. https://api-docs.deepseek.com/guides/thinking_mode */
export function deepSeekAdaptations(request: ChatRequest, { capabilities }: Model): Generator<Adaptation> {
  const isThinking = capabilities?.reasoning !== false && effortOf(request) !== ReasoningEffort.NONE;
  return withoutFields(
    request,
    isThinking ? [...sampling, ...penalties, ...probabilities] : [],
    "has no effect at DeepSeek while the model thinks, which it does unless the reasoning effort is none",
  );
}

export function xaiAdaptations(request: ChatRequest, { capabilities }: Model): Generator<Adaptation> {
  const fields = capabilities?.reasoning ? [...penalties, "parameters.stop_sequences" as const] : [];
  return withoutFields(request, fields, "is refused by xAI's reasoning models");
}

export const sampling = ["parameters.temperature", "parameters.top_p"] as const;
export const penalties = ["parameters.presence_penalty", "parameters.frequency_penalty"] as const;
const probabilities = ["parameters.logprobs", "parameters.top_logprobs"] as const;

/** Leaves fields out that ask for something. `lack` completes the sentence that a field begins. */
export function* withoutFields(
  request: ChatRequest,
  fields: readonly OptionalField[],
  lack: string,
): Generator<Adaptation> {
  for (const field of fields) {
    const value = optionalFields[field](request);
    if (value === undefined || isNeutral(field, value)) continue;
    yield unsupported(field, `${field} ${lack}`);
  }
}
