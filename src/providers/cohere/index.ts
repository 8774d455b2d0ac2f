import type { ProviderSettings } from "../../config/provider.ts";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { responseFailure } from "../../upstream/errors.ts";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { type AnswerReader, cutAnswer, readAnswer } from "../../upstream/read-answer.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { checkSupport } from "./adaptations.ts";
import { type AnswerState, startAnswer, toEvents } from "./events.ts";
import { toRequest } from "./request.ts";

/** Cohere's chat, version 2 of its API. */
export function createCohereAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings);
  const { name, apiKey } = settings;

  const headers = { accept: "text/event-stream", ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }) };

  return {
    name,
    maxChoices: 1,
    stream: (request, model, context) =>
      exchange(upstream, context, (call) => ({
        path: "/v2/chat",
        headers,
        body: stringifyExact(toRequest(request, model, name)),
        failure: (response) => responseFailure(response, call),
        read: (response) => {
          const answer = startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN);
          return readAnswer(response, call, readerFor(answer));
        },
      })),
    checkSupport,
    describe: (request, model) => toRequest(request, model, name),
    close: () => upstream.close(),
  };
}

function readerFor(answer: AnswerState): AnswerReader {
  return {
    read: ({ data }, batch) => toEvents(answer, data, batch),
    end: () => {
      throw cutAnswer(answer.call);
    },
  };
}

export const cohereDeclaration: ProviderDefinition = {
  name: "cohere",
  keyVariable: "COHERE_API_KEY",
  baseUrlVariable: "COHERE_BASE_URL",
  defaultBaseUrl: "https://api.cohere.com",
  onBy: "key",
  create: createCohereAdapter,
};
