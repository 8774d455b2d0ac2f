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
  completionOf,
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

const binding = z.union([z.string(), z.number(), z.boolean()], { error: "must be a string, a number, true or false" });

const requestSchema = z.strictObject({
  prompt: z.string(),
  chat_history: z.array(messageSchema),
  model_request_parameters: optional(z.strictObject({ bindings: optional(z.record(z.string(), binding)) })),
  temperature: optional(z.number()),
  stop_sequences: optional(z.array(z.string())),
  max_tokens: optional(z.int32()),
  top_p: optional(z.number()),
  // The API's type is number. Fractions are rejected, since this is a number of tokens.
  top_k: optional(z.int32()),
  frequency_penalty: optional(z.number()),
  presence_penalty: optional(z.number()),
  reasoning_effort: effortSchema,
  stream: optional(z.boolean()),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int32()),
  chat_template: optional(z.string()),
  chat_template_kwargs: optional(z.record(z.string(), z.json())),
});

const hints: PropertyHints = {
  max_completion_tokens: "write max_tokens",
  max_output_tokens: "write max_tokens",
  stop: "write stop_sequences",
  messages: "write prompt and chat_history",
  system: "write a message with the role system in chat_history",
  instructions: "write a message with the role system in chat_history",
  model: "the path has the deployment; omit it",
  model_parameters: "write its fields at the top level of the body",
};

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
  reasoning: "reasoning_effort",
  "reasoning.effort": "reasoning_effort",
  // Only one rule applies to `parameters` as a whole: top_logprobs requires logprobs. Report it at top_logprobs.
  parameters: "top_logprobs",
};

/** Scale EGP deployments API: `POST /v4/models/{model_deployment_id}/chat-completions`. */
export const egpDeploymentSurface: ChatSurface = {
  name: "egp-deployment",
  path: "/v4/models/{model_deployment_id}/chat-completions",
  profile: "egp-deployment",
  omitsReasoning: true,
  // LLM Engine, Scale's inference server, documents that a stream ends with `[DONE]`, but does not send it. Scale's
  // generated clients would fail on it: they parse every event as JSON.
  endsWithDone: false,
  translate(body, { parameters }) {
    const request = parseRequest(requestSchema, body, hints);
    const { prompt, chat_history: history } = request;
    // toChat() adds the prompt as the message after the history.
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
  const { reasoning_effort: effort } = request;
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
    ...(effort && { reasoning: { control: { case: "effort", value: efforts[effort] } } }),
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

/** Makes a response or a stream event. */
function answerOf({ prompt, texts, finishReason, usage, choices = [] }: Answer) {
  return {
    ...completionOf(prompt, texts, finishReason ?? null, usage),
    ...(choices.length > 0 && { choices }),
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
 * Makes the translator of one stream. Only the first event repeats the prompt, and the others have "" instead, to avoid
 * sending a long prompt with each delta.
 */
function createStream(whole: string): (event: ChatEvent) => readonly ServerSentEvent[] {
  let prompt = whole;
  let finishReason: string | undefined;
  const toEvents = (delta: Omit<Answer, "prompt">): readonly ServerSentEvent[] => {
    const data = answerOf({ prompt, ...delta });
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
        return toEvents({ texts: [text], ...(logprobs && { choices: [withLogprobs(choiceIndex, logprobs)] }) });
      }
      case "finished":
        finishReason = finishReasonOf(event.value);
        return [];
      case "completed":
        return toEvents({ texts: [""], finishReason, usage: event.value.usage });
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
