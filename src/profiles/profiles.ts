import type { Profile } from "../chat/planning/profile.ts";
import { isSystem } from "../chat/validation/request-rules.ts";
import type { FieldViolation } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../gen/dragoman/v1/message_pb.js";
import { strictSchemaProblem } from "./strict-schema.ts";

export type ProfileName = Profile["name"];

/** Only what the caller set is sent. */
const plain: Profile = {
  name: "plain",
  defaults: {},
  // https://platform.claude.com/docs/en/api/messages: "alter temperature or top_p, but not both".
  eitherFamilies: ["anthropic"],
  ranges: [],
  maxStopSequences: 16,
  instructions: undefined,
  joinsSystemMessages: false,
  familyFields: [],
  imageUrlFamilies: undefined,
  outputLimits: {},
  outputCap: undefined,
  outputMustFit: false,
  trims: false,
  maxConcurrentCalls: undefined,
  rules: [],
};

/**
 * The table of seeds 001 and 003: the window less the prompt for OpenAI, 100 for LLM Engine, 10,000 for Claude 2. The
 * others are inferred: what the model gives, within the window; Claude 3 gives less than 10,000.
 */
const egpOutputLimits: Profile["outputLimits"] = {
  "openai-chat": "rest",
  "openai-completions": "rest",
  "llm-engine": 100,
  anthropic: 10_000,
  google: "rest",
  mistral: "rest",
};

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

/** Seeds 000 and 001. */
const egpChat: Profile = {
  ...plain,
  name: "egp-chat",
  defaults: { temperature: 0.2 },
  ranges: [
    { parameter: "temperature", min: 0, max: 1 },
    { parameter: "n", min: 1, max: 1 },
  ],
  maxStopSequences: 4,
  // Seed 001, the default of `instructions`, to the letter.
  instructions:
    "You are an AI assistant that helps users with their questions by chatting back and forth with them. When asked a question, you should answer it as best as you can with the information you have. If you need more information, you can ask the user for it.",
  familyFields: [
    { ...sampling.topP, families: [...openai, "llm-engine", "google", "anthropic", "mistral"] },
    { ...sampling.topK, families: ["llm-engine", "google", "anthropic"] },
    { ...sampling.presence, families: [...openai, "llm-engine"] },
    { ...sampling.frequency, families: [...openai, "llm-engine"] },
  ],
  imageUrlFamilies: openai,
  outputLimits: egpOutputLimits,
  outputMustFit: true,
};

/** Seed 003. */
const egpDeployment: Profile = {
  ...egpChat,
  name: "egp-deployment",
  // It has no top_p for Claude.
  eitherFamilies: [],
  ranges: [{ parameter: "n", min: 1, max: 1 }],
  instructions: undefined,
  joinsSystemMessages: true,
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

/** Seed 002, which rejects JSON mode with streaming. */
const cerebras: Profile = {
  ...plain,
  name: "cerebras",
  defaults: { temperature: 1, topP: 1 },
  ranges: [{ parameter: "temperature", min: 0, max: 1.5 }],
  maxStopSequences: 4,
  joinsSystemMessages: true,
  rules: [jsonIsNotStreamed, strictSchema],
};

/** Seed 004. */
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
    // -1 is another way to say off.
    { parameter: "topK", min: -1, max: 999 },
    { parameter: "n", min: 1, max: 4 },
    { parameter: "maxOutputTokens", min: 1, max: 1_000_000 },
  ],
  outputLimits: { deepinfra: 16_384 },
  outputCap: 16_384,
  // https://deepinfra.com/docs/advanced/rate-limits
  maxConcurrentCalls: 200,
  rules: [oneSystemMessage, callersTurnLast],
};

/** Every profile, by name. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  plain,
  "egp-chat": egpChat,
  "egp-deployment": egpDeployment,
  cerebras,
  deepinfra,
};

export const profileNames: readonly ProfileName[] = Object.keys(profiles).filter(isProfileName);

/** The profile of a name; `plain` for a name that is none, which configuration does not let through. */
export function profileOf(name: string): Profile {
  return isProfileName(name) ? profiles[name] : plain;
}

/** Every family of models that some profile has rules for; the others are names of providers. */
export const profileFamilies: readonly string[] = [
  ...new Set(Object.values(profiles).flatMap(({ outputLimits }) => Object.keys(outputLimits))),
];

function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}

function jsonIsNotStreamed({ outputFormat }: ChatRequest, streamed: boolean): FieldViolation | undefined {
  if (!streamed || outputFormat?.format.case !== "jsonObject") return undefined;
  const description = "a JSON object cannot be streamed under the profile cerebras: call CompleteChat";
  return { field: ["output_format", "json_object"], description };
}

function strictSchema({ outputFormat }: ChatRequest): FieldViolation | undefined {
  const format = outputFormat?.format;
  if (format?.case !== "jsonSchema" || !format.value.strict) return undefined;
  const problem = strictSchemaProblem(format.value.schemaJson);
  return problem === undefined
    ? undefined
    : { field: ["output_format", "json_schema", "schema_json"], description: problem };
}

function oneSystemMessage({ messages }: ChatRequest): FieldViolation | undefined {
  const second = messages.findIndex((message, index) => isSystem(message) && messages.findIndex(isSystem) < index);
  if (second < 0) return undefined;
  return { field: ["messages", second, "role"], description: "the profile deepinfra takes one system message" };
}

/**
 * Seed 004's pattern ends with the user. A tool's results may end a conversation too: the API's own tool examples send
 * them so, since the answer to them is what is asked for.
 */
function callersTurnLast({ messages, continueLastMessage }: ChatRequest): FieldViolation | undefined {
  const last = messages.findLastIndex((message) => !isSystem(message));
  if (continueLastMessage || messages[last]?.role !== Role.ASSISTANT) return undefined;
  const description =
    "the profile deepinfra wants a user message last; set continue_last_message to have the assistant's continued";
  return { field: ["messages", last, "role"], description };
}
