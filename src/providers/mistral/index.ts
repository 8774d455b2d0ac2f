import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { locateError } from "../../upstream/error-body.ts";
import { embeddedFailure, responseFailure } from "../../upstream/errors.ts";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { type AnswerReader, readAnswer } from "../../upstream/read-answer.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { checkSupport } from "./adaptations.ts";
import { type AnswerState, endEvents, mistralCodes, startAnswer, toEvents } from "./events.ts";
import { continuedText } from "./messages.ts";
import { toRequest } from "./request.ts";

/** Mistral's chat completions: OpenAI's dialect with its own messages and content. */
export function createMistralAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings);
  const { name, apiKey } = settings;

  function ask(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, (call) => ({
      path: "/chat/completions",
      headers: {
        accept: streamed ? "text/event-stream, application/json" : "application/json",
        ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
      },
      body: stringifyExact(toRequest(request, model, name, streamed)),
      failure: (response) => responseFailure(response, call, mistralCodes),
      read: (response) => {
        const hideReasoning = request.reasoning?.format === ReasoningFormat.HIDDEN;
        return readAnswer(response, call, readerFor(startAnswer(call, hideReasoning, continuedText(request))));
      },
    }));
  }

  return {
    name,
    stream: (request, model, context) => ask(request, model, context, true),
    complete: (request, model, context) => ask(request, model, context, false),
    checkSupport,
    describe: (request, model) => toRequest(request, model, name, true),
    close: () => upstream.close(),
  };
}

function readerFor(answer: AnswerState): AnswerReader {
  return {
    read({ event, data }, batch) {
      if (event === "error") throw embeddedFailure(locateError(data), answer.call, mistralCodes);
      const isDone = data === "[DONE]";
      if (isDone) endEvents(answer, batch);
      else toEvents(answer, data, batch);
      return isDone;
    },
    whole: (json, batch) => toEvents(answer, json, batch),
    end: (batch) => endEvents(answer, batch),
  };
}

export const mistralDeclaration: ProviderDefinition = {
  name: "mistral",
  keyVariable: "MISTRAL_API_KEY",
  baseUrlVariable: "MISTRAL_BASE_URL",
  defaultBaseUrl: "https://api.mistral.ai/v1",
  onBy: "key",
  create: createMistralAdapter,
};
