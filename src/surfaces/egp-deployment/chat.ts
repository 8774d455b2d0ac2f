import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ChatEvent } from "../../chat/stream/events.ts";
import { type FieldPath, isWithin } from "../../field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs, TopLogProb } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { deploymentName } from "../../models/find-model.ts";
import { egpError, egpStreamError } from "../egp-shape/errors.ts";
import {
  countsIn,
  finishReasonOf,
  messageFields,
  messageSchema,
  sayOf,
  textOf,
  toMessage,
} from "../egp-shape/messages.ts";
import { type FieldNames, nameField } from "../kit/field-names.ts";
import { optional, parseRequest, present } from "../kit/parse-request.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { ChatSurface } from "../kit/surface.ts";

const binding = z.union([z.string(), z.number(), z.boolean()], { error: "must be a string, a number, true or false" });

const requestSchema = z.strictObject({
  prompt: z.string(),
  chat_history: z.array(messageSchema),
  model_request_parameters: optional(z.strictObject({ bindings: optional(z.record(z.string(), binding)) })),
  temperature: optional(z.number()),
  stop_sequences: optional(z.array(z.string())),
  max_tokens: optional(z.int32()),
  top_p: optional(z.number()),
  // A plain number in the document, but there are no halves of tokens.
  top_k: optional(z.int32()),
  frequency_penalty: optional(z.number()),
  presence_penalty: optional(z.number()),
  stream: optional(z.boolean()),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int32()),
  chat_template: optional(z.string()),
  chat_template_kwargs: optional(z.record(z.string(), z.json())),
});

const names: FieldNames = {
  ...messageFields("chat_history"),
  model: "model_deployment_id",
  account_id: "x-selected-account-id",
  deployment_parameters: "model_request_parameters.bindings",
  "parameters.temperature": "temperature",
  "parameters.max_output_tokens": "max_tokens",
  "parameters.stop_sequences": "stop_sequences",
  "parameters.top_p": "top_p",
  "parameters.top_k": "top_k",
  "parameters.frequency_penalty": "frequency_penalty",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.logprobs": "logprobs",
  "parameters.top_logprobs": "top_logprobs",
  // Of the message as a whole: logprobs and top_logprobs do not go together.
  parameters: "top_logprobs",
};

/** Scale's EGP chat completions of a deployment, seed 003. */
export const egpDeploymentSurface: ChatSurface = {
  name: "egp-deployment",
  path: "/v4/models/{model_deployment_id}/chat-completions",
  profile: "egp-deployment",
  // The description of LLM Engine's `stream` promises `[DONE]`, its route sends none, and Scale's generated clients
  // read every event as JSON, which it is not.
  endsWithDone: false,
  translate(body, { parameters }) {
    const request = parseRequest(requestSchema, body);
    const { prompt, chat_history: history } = request;
    // The prompt is the message after the history.
    const isPrompt = (path: FieldPath) => isWithin(path, ["messages", history.length]);
    return {
      chat: toChat(request, parameters.model_deployment_id ?? ""),
      streamed: request.stream ?? false,
      toResponse: (completion) => toResponse(prompt, completion),
      createStream: () => createStream(prompt),
      nameField: (path) => (isPrompt(path) ? ["prompt"] : nameField(names, path)),
    };
  },
  toError: egpError,
  toStreamError: egpStreamError,
};

function toChat(request: z.output<typeof requestSchema>, deployment: string): ChatRequest {
  const prompt = toMessage({ role: "user", content: request.prompt });
  return create(ChatRequestSchema, {
    model: deploymentName(deployment),
    messages: [...request.chat_history.map(toMessage), prompt],
    parameters: present({
      temperature: request.temperature,
      maxOutputTokens: request.max_tokens,
      stopSequences: request.stop_sequences,
      topP: request.top_p,
      topK: request.top_k,
      frequencyPenalty: request.frequency_penalty,
      presencePenalty: request.presence_penalty,
      logprobs: request.logprobs,
      topLogprobs: request.top_logprobs,
    }),
    ...present({
      chatTemplate: request.chat_template,
      chatTemplateKwargs: request.chat_template_kwargs,
      deploymentParameters: request.model_request_parameters?.bindings,
    }),
  });
}

interface Answer {
  readonly prompt: string;
  readonly texts: readonly string[];
  readonly finishReason?: string | undefined;
  readonly usage?: Usage | undefined;
  readonly choices?: readonly unknown[];
}

/** `completions` is a list of pairs: a prompt, and all that the model said to it. */
function answerOf({ prompt, texts, finishReason, usage, choices = [] }: Answer) {
  const counted = countsIn(usage);
  return {
    completions: [[prompt, texts]],
    ...(choices.length > 0 && { choices }),
    finish_reason: finishReason ?? null,
    prompt_tokens: counted?.inputTokens ?? 0,
    response_tokens: counted?.outputTokens ?? 0,
  };
}

function toResponse(prompt: string, { choices, usage }: ChatCompletion): unknown {
  const [first] = choices;
  return answerOf({
    prompt,
    texts: choices.map(textOf),
    finishReason: first && finishReasonOf(first),
    usage,
    choices: choices.flatMap(({ index, logprobs }) => (logprobs ? [withLogprobs(index, logprobs)] : [])),
  });
}

/**
 * The stream of an answer to a prompt. Only the first event repeats the prompt, the others have "" in its place: a long
 * one would go out once for each word of the answer.
 */
function createStream(whole: string): (event: ChatEvent) => readonly ServerSentEvent[] {
  let prompt = whole;
  let finishReason: string | undefined;
  const say = (piece: Omit<Answer, "prompt">): readonly ServerSentEvent[] => {
    const data = answerOf({ prompt, ...piece });
    prompt = "";
    return [{ data }];
  };
  return (event) => {
    switch (event.case) {
      case "started":
        return [];
      case "delta": {
        const { delta, logprobs, choiceIndex } = event.value;
        const text = sayOf(delta);
        if (text === "" && (logprobs === undefined || delta.case === "reasoning")) return [];
        return say({ texts: [text], ...(logprobs && { choices: [withLogprobs(choiceIndex, logprobs)] }) });
      }
      case "finished":
        finishReason = finishReasonOf(event.value);
        return [];
      case "completed":
        return say({ texts: [""], finishReason, usage: event.value.usage });
      default:
        return event satisfies never;
    }
  };
}

function withLogprobs(index: number, { tokens }: LogProbs) {
  const content = tokens.map(({ topLogprobs, ...token }) => ({
    ...tokenOf(token),
    top_logprobs: topLogprobs.map(tokenOf),
  }));
  return { index, logprobs: { content } };
}

function tokenOf({ token, logprob, bytes }: Pick<TopLogProb, "token" | "logprob" | "bytes">) {
  return { token, logprob, ...(bytes && { bytes: [...bytes] }) };
}
