import { functionsOf, type RequestedFunction } from "../../chat/planning/function-tools.ts";
import { seedOf } from "../../chat/planning/seed.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import { type ToolChoice, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { describedSchema, ExactJson } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { toConversation } from "./messages.ts";
import { modelRules, toThinkingConfig } from "./model-rules.ts";
import { type BodyForm, usualForm } from "./own-fields.ts";
import type {
  FunctionCallingConfig,
  GenerateContentBody,
  GenerationConfig,
  ThinkingConfig,
  WireProviderTool,
  WireTool,
} from "./wire.ts";

const choiceModes = {
  [ToolChoiceMode.UNSPECIFIED]: "AUTO",
  [ToolChoiceMode.AUTO]: "AUTO",
  [ToolChoiceMode.NONE]: "NONE",
  [ToolChoiceMode.REQUIRED]: "ANY",
} as const satisfies Record<ToolChoiceMode, FunctionCallingConfig["mode"]>;

/**
 * Returns the request body. Dragoman drops or adjusts unsupported fields before this, see `checkSupport`.
 *
 * `provider` is the provider's name in the configuration: the key of its options in `provider_options`.
 */
export function toRequest(request: ChatRequest, model: Model, provider: string, form = usualForm): GenerateContentBody {
  const rules = modelRules(model);
  const { parameters, outputFormat, reasoning, serviceTier } = request;
  const thinkingConfig = withThoughts(toThinkingConfig(reasoning, rules), form);
  const generationConfig = {
    ...toSampling(parameters),
    ...toFormat(outputFormat),
    ...(thinkingConfig && { thinkingConfig }),
    ...toOutput(request),
  };
  const body: GenerateContentBody = {
    ...toConversation(request, rules),
    ...toTools(request),
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
    ...(serviceTier && { serviceTier }),
  };
  return { ...mergeOptions(body, request.providerOptions[provider]), contents: body.contents };
}

function withThoughts(config: ThinkingConfig | undefined, { thoughts }: BodyForm): ThinkingConfig | undefined {
  if (config === undefined || thoughts === "included") return config;
  const { includeThoughts: _, ...rest } = config;
  return Object.keys(rest).length > 0 ? rest : undefined;
}

function toSampling(parameters: GenerationParameters | undefined): GenerationConfig {
  if (parameters === undefined) return {};
  const { topK = 0, topLogprobs = 0, stopSequences, logprobs } = parameters;
  const seed = seedOf(parameters);
  return present({
    temperature: parameters.temperature,
    topP: parameters.topP,
    topK: topK > 0 ? topK : undefined,
    maxOutputTokens: parameters.maxOutputTokens,
    stopSequences: stopSequences.length > 0 ? stopSequences : undefined,
    seed: seed === undefined ? undefined : Number(seed),
    presencePenalty: parameters.presencePenalty || undefined,
    frequencyPenalty: parameters.frequencyPenalty || undefined,
    responseLogprobs: logprobs || undefined,
    logprobs: topLogprobs > 0 ? topLogprobs : undefined,
  });
}

const modalities: Readonly<Partial<Record<Modality, "TEXT" | "IMAGE" | "AUDIO">>> = {
  [Modality.TEXT]: "TEXT",
  [Modality.IMAGE]: "IMAGE",
  [Modality.AUDIO]: "AUDIO",
};

function toOutput({ responseModalities, audioOutput }: ChatRequest): GenerationConfig {
  if (!responseModalities.some((modality) => modality !== Modality.TEXT)) return {};
  const voiceName = audioOutput?.voice;
  return {
    responseModalities: responseModalities.flatMap((modality) => modalities[modality] ?? []),
    ...(voiceName && { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName } } } }),
  };
}

function toFormat(outputFormat: OutputFormat | undefined): GenerationConfig {
  const format = outputFormat?.format;
  switch (format?.case) {
    case undefined:
    case "text":
    case "regex":
      return {};
    case "jsonObject":
      return { responseMimeType: "application/json" };
    case "jsonSchema": {
      const { schemaJson, description } = format.value;
      return {
        responseMimeType: "application/json",
        responseJsonSchema: describedSchema(schemaJson, description),
      };
    }
    default:
      return format satisfies never;
  }
}

function toTools(request: ChatRequest): Pick<GenerateContentBody, "tools" | "toolConfig"> {
  const tools = functionsOf(request);
  const others = providerTools(request);
  if (tools.length === 0) return others.length > 0 ? { tools: others } : {};
  const chosen = toCallingConfig(request.toolChoice);
  // The API has no `strict` per tool, only the mode VALIDATED for all tools, which replaces AUTO.
  const isStrict = tools.some(({ strict }) => strict === true) && (chosen?.mode ?? "AUTO") === "AUTO";
  const functionCallingConfig = isStrict ? ({ mode: "VALIDATED" } as const) : chosen;
  return {
    tools: [{ functionDeclarations: tools.map(toDeclaration) }, ...others],
    ...(functionCallingConfig && { toolConfig: { functionCallingConfig } }),
  };
}

/** Returns the tools that Google runs. Google accepts names of either spelling: `google_search`, `googleSearch`. */
function providerTools({ tools }: ChatRequest): readonly WireProviderTool[] {
  return tools.flatMap(({ kind }) => {
    if (kind.case !== "providerTool") return [];
    const { type, configJson } = kind.value;
    return [{ [type]: new ExactJson(configJson || "{}") }];
  });
}

function toCallingConfig(toolChoice: ToolChoice | undefined): FunctionCallingConfig | undefined {
  const choice = toolChoice?.choice;
  if (choice?.case === "mode") return { mode: choiceModes[choice.value] };
  if (choice?.case === "allowedTools") {
    const { mode, toolNames } = choice.value;
    // The API documents names only for the modes ANY and VALIDATED.
    return { mode: mode === ToolChoiceMode.REQUIRED ? "ANY" : "VALIDATED", allowedFunctionNames: toolNames };
  }
  return choice?.case === "toolName" ? { mode: "ANY", allowedFunctionNames: [choice.value] } : undefined;
}

function toDeclaration({
  name,
  description,
  parametersJsonSchema,
}: RequestedFunction): WireTool["functionDeclarations"][number] {
  return {
    name,
    ...(description && { description }),
    ...(parametersJsonSchema && { parametersJsonSchema: new ExactJson(parametersJsonSchema) }),
  };
}

/** Returns only the fields that are set. */
function present(
  fields: { readonly [K in keyof GenerationConfig]: GenerationConfig[K] | undefined },
): GenerationConfig {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
