import { eventFrame, exceptionFrame } from "../../support/event-stream.ts";
import type { Form } from "../dialect.ts";
import { begin, type Event, end, sse, start, stop, text, tool } from "../fixtures/anthropic-wire.ts";
import {
  answer as bedrockAnswer,
  stop as bedrockStop,
  text as bedrockText,
  metadata,
  toolUse,
} from "../fixtures/bedrock-wire.ts";
import * as responses from "../fixtures/openai-responses.ts";
import { isFields } from "../whole/sse-data.ts";
import type { Making } from "./instances.ts";

/** A published type of responses, and how an instance of it becomes a response. */
export interface PublishedApi extends Making {
  /** Name of the type in roots.ts. */
  readonly root: string;
  /** Title of the dialect that reads the type. */
  readonly dialect: string;
  readonly form: Form;
  /** Returns a response with an instance. Undefined: the instance has no content, such as the end of a block. */
  play(instance: unknown): string | Uint8Array | undefined;
  /** Fields that a response need not carry, with the reason. A field also stands for those below it. */
  readonly silent: Readonly<Record<string, string>>;
  /** Places of the usage, whose counts `Dialect.usage` names. */
  readonly usageAt: readonly string[];
  /** Members that mean that the response failed, so that it is an error. */
  readonly failing?: ReadonlySet<string>;
}

const time = "the time of the response is that of the call";
const remainder = "the rest of a count whose other parts are carried";
const tokenNumber = "the text of the token is carried";

function eventOf(instance: unknown): Event {
  if (isFields(instance) && typeof instance.type === "string") return { ...instance, type: instance.type };
  throw new Error("an event has no type");
}

/** Blocks that a delta of each type extends. */
const extended: Readonly<Record<string, object>> = {
  input_json_delta: tool("toolu_1", "look"),
  thinking_delta: { type: "thinking", thinking: "", signature: "" },
  signature_delta: { type: "thinking", thinking: "", signature: "" },
  compaction_delta: { type: "compaction", content: null },
};

function playAnthropic(instance: unknown): string | undefined {
  const event = eventOf(instance);
  switch (event.type) {
    case "content_block_start":
      return sse(start(), event, stop(0), ...end("end_turn"));
    case "content_block_delta": {
      const { type } = eventOf(event.delta);
      return sse(start(), begin(0, extended[type] ?? { type: "text", text: "" }), event, stop(0), ...end("end_turn"));
    }
    case "content_block_stop":
    case "message_stop":
      return undefined;
    case "message_start":
      return sse(event, ...text(0, "Hi"), ...end("end_turn"));
    case "message_delta":
      return sse(start(), ...text(0, "Hi"), event, { type: "message_stop" });
    default:
      return sse(start(), event, ...text(0, "Hi"), ...end("end_turn"));
  }
}

const anthropic = {
  dialect: "anthropic",
  form: "streamed",
  fixed: { index: 0, "message.content": [] },
  usageAt: ["usage", "message.usage"],
  play: playAnthropic,
  silent: {
    "delta.estimated_tokens": "a hint of the progress, and no count",
    "message.stop_sequence": "null at the start of a message",
    "message.usage.cache_creation.ephemeral_5m_input_tokens": remainder,
    "message.usage.inference_geo": "repeats the request",
  },
} as const;

function playBedrock(instance: unknown): Uint8Array | undefined {
  const [[type, payload] = ["", undefined]] = Object.entries(isFields(instance) ? instance : {});
  if (!isFields(payload) || type === "$unknown" || type === "contentBlockStop") return undefined;
  if (type.endsWith("Exception")) return bedrockAnswer(bedrockText(0, "Hi"), exceptionFrame(type, payload));
  const frame = eventFrame(type, payload);
  if (type === "messageStop") return bedrockAnswer(bedrockText(0, "Hi"), frame, metadata());
  if (type === "metadata") return bedrockAnswer(bedrockText(0, "Hi"), bedrockStop("end_turn"), frame);
  const isInput = isFields(payload.delta) && "toolUse" in payload.delta;
  return bedrockAnswer(...(isInput ? [toolUse(0, "t_1", "look")] : []), frame, bedrockStop("end_turn"), metadata());
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const eventStream = (...chunks: readonly unknown[]): string =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");

const streamed = (instance: unknown): string => `${eventStream(instance)}data: [DONE]\n\n`;
const whole = (instance: unknown): string => JSON.stringify(instance);

const cohereEvents = (...events: readonly Event[]): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");

function playCohere(instance: unknown): string | undefined {
  const event = eventOf(instance);
  const begun: Event = { type: "message-start", id: "c1", delta: { message: { role: "assistant" } } };
  const ended: Event = { type: "message-end", delta: { finish_reason: "COMPLETE" } };
  const content = (part: object): Event => ({ type: "content-start", index: 0, delta: { message: { content: part } } });
  const saying = content({ type: "text", text: "Hi" });
  switch (event.type) {
    case "message-start":
      return cohereEvents(event, saying, ended);
    case "message-end":
      return cohereEvents(begun, saying, event);
    case "tool-call-delta": {
      const call = { id: "c_1", type: "function", function: { name: "look", arguments: "" } };
      const opened: Event = { type: "tool-call-start", index: 0, delta: { message: { tool_calls: call } } };
      return cohereEvents(begun, opened, event, ended);
    }
    case "content-delta":
      return cohereEvents(begun, content({ type: "text", text: "" }), event, ended);
    case "citation-start":
      return cohereEvents(begun, saying, event, ended);
    default:
      return cohereEvents(begun, event, ended);
  }
}

const googleFailures: ReadonlySet<string> = new Set([
  ...["MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS", "UNEXPECTED_TOOL_CALL"],
]);

const google = {
  ...{ root: "GoogleResponse", dialect: "gemini", failing: googleFailures, usageAt: ["usageMetadata"] },
  oneOf: {
    Part: {
      usual: "text",
      beside: ["thought", "thoughtSignature", "partMetadata", "mediaResolution", "videoMetadata"],
    },
    FunctionCall: { usual: "args", always: ["id", "name"] },
    PartialArg: { usual: "stringValue", always: ["jsonPath"] },
  },
  // What the client itself adds to a response.
  never: new Set(["HttpResponse", "automaticFunctionCallingHistory"]),
  fixed: {
    "candidates.index": 0,
    "candidates.content.role": "model",
    "candidates.content.parts.thought": false,
    "candidates.content.parts.functionCall.willContinue": false,
    "candidates.content.parts.functionCall.partialArgs.willContinue": false,
    "candidates.content.parts.functionCall.partialArgs.jsonPath": "$.a",
  },
  usual: { "candidates.finishReason": "STOP", "candidates.content.parts": "text" },
  silent: {
    createTime: time,
    "usageMetadata.cacheTokensDetails": "kinds of cached tokens, which are carried as one count",
    "usageMetadata.toolUsePromptTokenCount": "added to the input",
    "usageMetadata.toolUsePromptTokensDetails": "kinds of tokens that are added to the input",
    "usageMetadata.initialPromptTokenCount": "the first of the prompts that the input counts",
    "candidates.logprobsResult.chosenCandidates.tokenId": tokenNumber,
    "candidates.logprobsResult.topCandidates.candidates.tokenId": tokenNumber,
    "candidates.logprobsResult.logProbabilitySum": "the sum of the values that are carried",
  },
} as const;

const bytes = [72, 105];

function chat(message: "delta" | "message", own: Making = {}) {
  return {
    fixed: {
      "choices.index": 0,
      [`choices.${message}.tool_calls.index`]: 0,
      [`choices.${message}.role`]: "assistant",
      "choices.logprobs.content.bytes": bytes,
      "choices.logprobs.content.top_logprobs.bytes": bytes,
      "choices.logprobs.refusal.bytes": bytes,
      "choices.logprobs.refusal.top_logprobs.bytes": bytes,
      "choices.reasoning_logprobs.content.bytes": bytes,
      "choices.reasoning_logprobs.content.top_logprobs.bytes": bytes,
      [`choices.${message}.annotations.url_citation.start_index`]: 0,
      [`choices.${message}.annotations.url_citation.end_index`]: 2,
      object: "chat.completion",
    },
    usual: { "choices.finish_reason": "stop" },
    usageAt: ["usage"],
    ...own,
  } as const;
}

const chatFields = { created: time };

const callType = "a type without fields of its own";
const imageDetail = "says how to read an image of a request";
const mistralSilent = {
  ...chatFields,
  "choices.delta.tool_calls.type": callType,
  "choices.message.tool_calls.type": callType,
  "choices.delta.content.image_url.detail": imageDetail,
  "choices.message.content.image_url.detail": imageDetail,
};

const mistral = {
  ...{ dialect: "mistral", wireName: snakeCase, failing: new Set(["error"]), silent: mistralSilent },
  // The client's own form of a content chunk that it does not know.
  never: new Set(['Unknown<"type", "UNKNOWN">']),
} as const;
const openAi = {
  dialect: "openai",
  silent: {
    ...chatFields,
    obfuscation: "padding",
    "usage.completion_tokens_details.text_tokens": remainder,
    "usage.prompt_tokens_details.text_tokens": remainder,
  },
  oneOf: { ToolCall: { usual: "function", always: ["index", "id", "type"] } },
  // The deprecated form of `tool_calls`, which never stands beside them.
  never: new Set(["function_call"]),
} as const;
const cerebras = {
  dialect: "cerebras",
  silent: {
    ...chatFields,
    "time_info.created": time,
    "choices.reasoning_logprobs.refusal": "reasoning has no refusal",
  },
} as const;

/** Items that deltas of a type extend. */
const extendedItems: Readonly<Record<string, responses.Shown>> = {
  function_call_arguments: responses.call("call_1", "look", []),
  custom_tool_call_input: responses.whole({ type: "custom_tool_call", call_id: "call_1", name: "look", input: "" }),
};

function playResponses(instance: unknown): string | undefined {
  const event = eventOf(instance);
  const [, name = ""] = /^response\.(\w+)\./.exec(event.type) ?? [];
  const opened = responses.eventsOf(extendedItems[name] ?? responses.message([]), 0).slice(0, 1);
  const said = responses.eventsOf(responses.message(["Hi"]), 1);
  const before = event.type === "response.output_item.done" ? [] : opened;
  return responses.sse(...responses.begun(), ...before, event, ...said, responses.finish([]));
}

const withFacts = (instance: unknown) => ({ response: isFields(instance) ? instance : {} });

const openAiResponses = {
  dialect: "openai responses",
  fixed: {
    ...{ output_index: 0, content_index: 0, summary_index: 0 },
    "item.content.logprobs.bytes": bytes,
    "item.content.logprobs.top_logprobs.bytes": bytes,
  },
  usageAt: ["usage"],
} as const;

const numbers = "a place in the response";

const responsesEvent = {
  ...openAiResponses,
  root: "ResponsesEvent",
  form: "streamed",
  play: playResponses,
  // Tools with all of their settings, which these items contain as a whole.
  never: new Set(["AdditionalTools", "ResponseToolSearchOutputItem"]),
  failing: new Set(["ResponseErrorEvent"]),
  silent: {
    item_id: numbers,
    annotation_index: numbers,
    "item.id": "nothing refers to the ids of messages and functions, since Dragoman stores nothing at OpenAI",
  },
} as const;

export const publishedApis: readonly PublishedApi[] = [
  { ...anthropic, root: "AnthropicEvent" },
  { ...anthropic, root: "AnthropicBetaEvent" },
  {
    ...{ root: "BedrockEvent", dialect: "bedrock", form: "streamed", play: playBedrock },
    fixed: {
      "contentBlockStart.contentBlockIndex": 0,
      "contentBlockDelta.contentBlockIndex": 0,
      "contentBlockStop.contentBlockIndex": 0,
    },
    // What the client itself adds to an exception, and to a member that it does not know.
    never: new Set(["$unknown", "ResponseMetadata", "HttpResponse", "ClientExceptionFields"]),
    usual: { "messageStop.stopReason": "end_turn" },
    failing: new Set([
      ...["InternalServerExceptionMember", "ModelStreamErrorExceptionMember", "ServiceUnavailableExceptionMember"],
      ...["ThrottlingExceptionMember", "ValidationExceptionMember"],
      ...["malformed_model_output", "malformed_tool_use", "model_context_window_exceeded_error"],
    ]),
    usageAt: ["metadata.usage"],
    silent: { "metadata.metrics.latencyMs": "TimeInfo has seconds" },
  },
  {
    ...{ root: "CohereEvent", dialect: "cohere", form: "streamed", play: playCohere, wireName: snakeCase },
    fixed: { index: 0 },
    failing: new Set(["ERROR", "TIMEOUT"]),
    usageAt: ["delta.usage"],
    silent: { "logprobs.token_ids": tokenNumber, id: "the id of the first event is carried" },
  },
  { ...google, form: "streamed", play: (value) => eventStream(value) },
  { ...google, form: "whole", play: whole },
  { ...mistral, root: "MistralChunk", form: "streamed", play: streamed, ...chat("delta") },
  { ...mistral, root: "MistralResponse", form: "whole", play: whole, ...chat("message") },
  { ...openAi, root: "OpenAiChunk", form: "streamed", play: streamed, ...chat("delta") },
  { ...openAi, root: "OpenAiResponse", form: "whole", play: whole, ...chat("message") },
  responsesEvent,
  {
    ...{ ...openAiResponses, root: "ResponsesFacts", form: "streamed", silent: {} },
    play: (value) => responses.answer([responses.message(["Hi"])], withFacts(value)),
  },
  {
    ...{ ...openAiResponses, root: "ResponsesFacts", form: "whole", silent: {} },
    play: (value) => whole(responses.responseOf([responses.message(["Hi"]).item], withFacts(value))),
  },
  { ...cerebras, root: "CerebrasChunk", form: "streamed", play: streamed, ...chat("delta") },
  { ...cerebras, root: "CerebrasResponse", form: "whole", play: whole, ...chat("message") },
];
