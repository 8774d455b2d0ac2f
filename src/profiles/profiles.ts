import type { Profile, RuleContext } from "../chat/planning/profile.ts";
import { orElse } from "../chat/planning/profile-texts.ts";
import { isSystem } from "../chat/validation/request-rules.ts";
import type { FieldViolation } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../gen/dragoman/v1/reasoning_pb.js";
import { strictSchemaProblem } from "./strict-schema.ts";

export type ProfileName = Profile["name"];

/** Profile without the defaults and rules of an API: Dragoman sends only the parameters that the caller sets. */
const plain: Profile = {
  name: "plain",
  defaults: {},
  // https://platform.claude.com/docs/en/api/messages: "alter temperature or top_p, but not both".
  eitherFamilies: ["anthropic"],
  ranges: [],
  // The proto has a maximum for all profiles.
  maxStopSequences: Number.POSITIVE_INFINITY,
  instructions: undefined,
  joinsSystemMessages: false,
  familyFields: [],
  imageUrlFamilies: undefined,
  outputLimits: {},
  otherOutputLimit: undefined,
  outputCap: undefined,
  outputMustFit: false,
  trims: false,
  maxConcurrentCalls: undefined,
  rules: [],
};

/**
 * Default output limits of the Scale EGP chat completions API, by model family: "None (limited by the model's max
 * tokens)". That is the model's output limit, within the context window less the prompt.
 */
const egpChatOutputLimits: Profile["outputLimits"] = {
  "openai-chat": "rest",
  "openai-completions": "rest",
  "llm-engine": "rest",
  anthropic: "rest",
  google: "rest",
  mistral: "rest",
};

/**
 * Default output limits in tokens of the Scale EGP deployments API, by model family. The API documents OpenAI (the
 * context window less the prompt), LLM Engine (100) and Claude 2 (10,000). The others are inferred. Claude 3 models
 * have lower limits than 10,000, which apply instead.
 */
const egpDeploymentOutputLimits: Profile["outputLimits"] = {
  ...egpChatOutputLimits,
  "llm-engine": 100,
  anthropic: 10_000,
};

// The contract allows 0 for DeepInfra. The documents of the other APIs do not mention it.
const someOutput = { parameter: "maxOutputTokens", min: 1, max: Number.POSITIVE_INFINITY } as const;
const openai = ["openai-chat", "openai-completions"];
const sampling = {
  topP: { field: ["parameters", "top_p"], isSet: (chat: ChatRequest) => chat.parameters?.topP !== undefined },
  topK: { field: ["parameters", "top_k"], isSet: (chat: ChatRequest) => (chat.parameters?.topK ?? 0) > 0 },
  presence: {
    field: ["parameters", "presence_penalty"],
    isSet: (chat: ChatRequest) => chat.parameters?.presencePenalty !== undefined,
  },
  frequency: {
    field: ["parameters", "frequency_penalty"],
    isSet: (chat: ChatRequest) => chat.parameters?.frequencyPenalty !== undefined,
  },
} as const;

/** Scale EGP chat completions API. */
const egpChat: Profile = {
  ...plain,
  name: "egp-chat",
  defaults: { temperature: 0.2 },
  ranges: [{ parameter: "temperature", min: 0, max: 1 }, { parameter: "n", min: 1, max: 1 }, someOutput],
  maxStopSequences: 4,
  // The API's documented default of `instructions`, verbatim.
  instructions:
    "You are an AI assistant that helps users with their questions by chatting back and forth with them. When asked a question, you should answer it as best as you can with the information you have. If you need more information, you can ask the user for it.",
  familyFields: [
    { ...sampling.topP, families: [...openai, "llm-engine", "google", "anthropic", "mistral"] },
    { ...sampling.topK, families: ["llm-engine", "google", "anthropic"] },
    { ...sampling.presence, families: [...openai, "llm-engine"] },
    { ...sampling.frequency, families: [...openai, "llm-engine"] },
  ],
  imageUrlFamilies: openai,
  outputLimits: egpChatOutputLimits,
  otherOutputLimit: "rest",
  outputMustFit: true,
};

/** Scale EGP deployments API. */
const egpDeployment: Profile = {
  ...egpChat,
  name: "egp-deployment",
  // Not needed: this API does not support top_p for Claude.
  eitherFamilies: [],
  ranges: [{ parameter: "n", min: 1, max: 1 }, someOutput],
  instructions: undefined,
  joinsSystemMessages: true,
  outputLimits: egpDeploymentOutputLimits,
  otherOutputLimit: undefined,
  familyFields: [
    { ...sampling.topP, families: [...openai, "llm-engine", "google"] },
    { ...sampling.topK, families: ["llm-engine", "google"] },
    { ...sampling.presence, families: [...openai, "llm-engine"] },
    { ...sampling.frequency, families: [...openai, "llm-engine"] },
    {
      field: ["parameters", "logprobs"],
      isSet: (chat) => chat.parameters?.logprobs === true,
      families: ["llm-engine"],
    },
    {
      field: ["parameters", "top_logprobs"],
      isSet: (chat) => (chat.parameters?.topLogprobs ?? 0) > 0,
      families: ["llm-engine"],
    },
  ],
  trims: true,
};

/** Cerebras chat completions API, which rejects JSON mode with streaming. */
const cerebras: Profile = {
  ...plain,
  name: "cerebras",
  defaults: { temperature: 1, topP: 1 },
  ranges: [{ parameter: "temperature", min: 0, max: 1.5 }, someOutput],
  maxStopSequences: 4,
  joinsSystemMessages: true,
  rules: [documentedEffort, jsonIsNotStreamed, strictSchema],
};

/** DeepInfra chat completions API. */
const deepinfra: Profile = {
  ...plain,
  name: "deepinfra",
  defaults: {
    temperature: 1,
    topP: 1,
    minP: 0,
    topK: 0,
    n: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    repetitionPenalty: 1,
  },
  ranges: [
    // Both -1 and 0 disable top_k.
    { parameter: "topK", min: -1, max: 999 },
    { parameter: "n", min: 1, max: 4 },
    { parameter: "maxOutputTokens", min: 0, max: 1_000_000 },
  ],
  outputLimits: { deepinfra: 16_384 },
  outputCap: 16_384,
  // https://deepinfra.com/docs/advanced/rate-limits
  maxConcurrentCalls: 200,
  rules: [documentedEffort, oneSystemMessage, callersTurnLast],
};

/** All profiles by name. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  plain,
  "egp-chat": egpChat,
  "egp-deployment": egpDeployment,
  cerebras,
  deepinfra,
};

export const profileNames: readonly ProfileName[] = Object.keys(profiles).filter(isProfileName);

/** Model families for which a profile sets an output limit. All other families have the name of their provider. */
export const profileFamilies: readonly string[] = [
  ...new Set(Object.values(profiles).flatMap(({ outputLimits }) => Object.keys(outputLimits))),
];

function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}

/** Rejects efforts that the APIs of Cerebras and DeepInfra do not document. Other APIs get the nearest effort. */
function documentedEffort({ reasoning }: ChatRequest, { texts }: RuleContext): FieldViolation | undefined {
  if (reasoning?.control.case !== "effort") return undefined;
  const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;
  if ([NONE, LOW, MEDIUM, HIGH].includes(reasoning.control.value)) return undefined;
  const description = `${texts.subject} supports only the efforts none, low, medium, high; ${orElse(texts, "set one of them")}`;
  return { field: ["reasoning", "effort"], description };
}

function jsonIsNotStreamed({ outputFormat }: ChatRequest, context: RuleContext): FieldViolation | undefined {
  const { streamed, texts, words } = context;
  if (!streamed || outputFormat?.format.case !== "jsonObject") return undefined;
  const description = `${texts.subject} does not stream JSON objects; ${orElse(texts, words.unstreamed)}`;
  return { field: ["output_format", "json_object"], description };
}

function strictSchema({ outputFormat }: ChatRequest, { maxValues, texts }: RuleContext): FieldViolation | undefined {
  const format = outputFormat?.format;
  if (format?.case !== "jsonSchema" || !format.value.strict) return undefined;
  const problem = strictSchemaProblem(format.value.schemaJson, maxValues);
  if (problem === undefined) return undefined;
  const wayOut = texts.wayOut === undefined ? "" : `; or ${texts.wayOut}`;
  return {
    field: ["output_format", "json_schema", "schema_json"],
    description: `${texts.under}, ${problem}${wayOut}`,
  };
}

function oneSystemMessage({ messages }: ChatRequest, { texts }: RuleContext): FieldViolation | undefined {
  const second = messages.findIndex((message, index) => isSystem(message) && messages.findIndex(isSystem) < index);
  if (second < 0) return undefined;
  const description = `${texts.subject} allows one system message; ${orElse(texts, "merge them")}`;
  return { field: ["messages", second, "role"], description };
}

/**
 * DeepInfra documents that a conversation ends with a user message. Dragoman also allows tool results at the end,
 * because DeepInfra's tool examples send them last.
 */
function callersTurnLast(chat: ChatRequest, { texts, words }: RuleContext): FieldViolation | undefined {
  const { messages, continueLastMessage } = chat;
  const last = messages.findLastIndex((message) => !isSystem(message));
  if (continueLastMessage || messages[last]?.role !== Role.ASSISTANT) return undefined;
  const advice = `set ${words.nameField(["continue_last_message"])} to continue this message`;
  const description = `${texts.subject} requires a user or tool message last; ${orElse(texts, advice)}`;
  return { field: ["messages", last, "role"], description };
}
