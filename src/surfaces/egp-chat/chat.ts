import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ChatEvent } from "../../chat/stream/events.ts";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { egpModels } from "../../models/egp-models.ts";
import { egpError, egpStreamError } from "../egp-shape/errors.ts";
import {
  completionOf,
  countsIn,
  effortSchema,
  efforts,
  finishReasonOf,
  messageFields,
  messageSchema,
  sayOf,
  textOf,
  toMessage,
} from "../egp-shape/messages.ts";
import { type FieldNames, nameField } from "../kit/field-names.ts";
import { optional, parseRequest, present } from "../kit/parse-request.ts";
import type { PropertyHints } from "../kit/property-hints.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { ChatSurface } from "../kit/surface.ts";

/** In this API, `topP` and `topK` are in camel case, the other names are in snake case. */
const parametersSchema = z.strictObject({
  temperature: optional(z.number()),
  max_tokens: optional(z.int32()),
  stop_sequences: optional(z.array(z.string())),
  topP: optional(z.number()),
  topK: optional(z.int32()),
  frequency_penalty: optional(z.number()),
  presence_penalty: optional(z.number()),
  reasoning_effort: effortSchema,
});

const memorySchema = z.strictObject({
  name: optional(z.literal("last_k")),
  params: z.strictObject({ k: z.int32() }),
});

const requestSchema = z.strictObject({
  // This API has a fixed list of models. Other models and deployments have other endpoints.
  model: z.enum(egpModels.map(({ id }) => id)),
  messages: z.array(messageSchema),
  account_id: optional(z.string()),
  memory_strategy: optional(memorySchema),
  model_parameters: optional(parametersSchema),
  // Null means no instructions; only an absent field selects the default text (Scale EGP chat completions API).
  instructions: z.string().nullable().optional(),
  chat_template: optional(z.string()),
  stream: optional(z.boolean()),
});

const hints: PropertyHints = {
  max_completion_tokens: "write model_parameters.max_tokens",
  max_output_tokens: "write model_parameters.max_tokens",
  stop: "write model_parameters.stop_sequences",
  system: "write instructions, or a message with the role system",
  prompt: "write a message with the role user",
  chat_history: "write messages",
};

const names: FieldNames = {
  ...messageFields("messages"),
  "parameters.temperature": "model_parameters.temperature",
  "parameters.max_output_tokens": "model_parameters.max_tokens",
  "parameters.stop_sequences": "model_parameters.stop_sequences",
  "parameters.top_p": "model_parameters.topP",
  "parameters.top_k": "model_parameters.topK",
  "parameters.frequency_penalty": "model_parameters.frequency_penalty",
  "parameters.presence_penalty": "model_parameters.presence_penalty",
  parameters: "model_parameters",
  reasoning: "model_parameters.reasoning_effort",
  "reasoning.effort": "model_parameters.reasoning_effort",
  "memory_strategy.last_k.k": "memory_strategy.params.k",
};

/** Scale EGP chat completions API: `POST /v4/chat-completions`. */
export const egpChatSurface: ChatSurface = {
  name: "egp-chat",
  path: "/v4/chat-completions",
  profile: "egp-chat",
  omitsReasoning: true,
  memoryStrategy: "memory_strategy",
  // The API does not document `[DONE]`, and Scale's generated clients fail on it: they parse every event as JSON.
  endsWithDone: false,
  translate(body) {
    const request = parseRequest(requestSchema, body, hints);
    return {
      chat: toChat(request),
      streamed: request.stream ?? false,
      toResponse,
      createStream,
      nameField: (path) => nameField(names, path),
    };
  },
  toError: egpError,
  toStreamError: egpStreamError,
};

function toChat(request: z.output<typeof requestSchema>): ChatRequest {
  const { model_parameters: sampling, memory_strategy: memory, instructions } = request;
  const effort = sampling?.reasoning_effort;
  return create(ChatRequestSchema, {
    model: request.model,
    messages: request.messages.map(toMessage),
    ...present({
      accountId: request.account_id,
      chatTemplate: request.chat_template,
      instructions: instructions === null ? "" : instructions,
    }),
    ...(memory && { memoryStrategy: { strategy: { case: "lastK", value: { k: memory.params.k } } } }),
    ...(effort && { reasoning: { control: { case: "effort", value: efforts[effort] } } }),
    ...(sampling && {
      parameters: present({
        temperature: sampling.temperature,
        maxOutputTokens: sampling.max_tokens,
        stopSequences: sampling.stop_sequences,
        topP: sampling.topP,
        topK: sampling.topK,
        frequencyPenalty: sampling.frequency_penalty,
        presencePenalty: sampling.presence_penalty,
      }),
    }),
  });
}

/** Makes a response. */
function answerOf(content: string, finishReason: string | null, usage: Usage | undefined) {
  const counted = countsIn(usage);
  return {
    chat_completion: { message: { role: "assistant", content }, finish_reason: finishReason },
    token_usage: counted
      ? { prompt: counted.inputTokens, completion: counted.outputTokens, total: counted.totalTokens }
      : null,
  };
}

/**
 * Makes one event of a stream; only the last has the finish reason and the usage. Scale's generated clients read the
 * events of this API as those of the deployments API (`CompletionResponse` of scale-gp 0.1.0a62), so an event has the
 * fields of both.
 */
function eventOf(content: string, finishReason: string | null, usage: Usage | undefined): ServerSentEvent {
  return { data: { ...answerOf(content, finishReason, usage), ...completionOf("", [content], finishReason, usage) } };
}

function toResponse({ choices: [choice], usage }: ChatCompletion): unknown {
  return answerOf(choice ? textOf(choice) : "", choice ? finishReasonOf(choice) : null, usage);
}

function createStream(): (event: ChatEvent) => readonly ServerSentEvent[] {
  let finishReason: string | null = null;
  return (event) => {
    switch (event.case) {
      case "started":
        return [];
      case "delta": {
        const text = sayOf(event.value.delta);
        return text === "" ? [] : [eventOf(text, null, undefined)];
      }
      case "finished":
        finishReason = finishReasonOf(event.value);
        return [];
      case "completed":
        return [eventOf("", finishReason, event.value.usage)];
      default:
        return event satisfies never;
    }
  };
}
