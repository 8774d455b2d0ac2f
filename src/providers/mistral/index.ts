import { type ChatEvent, started } from "../../chat/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderDeclaration } from "../declaration.ts";
import type { ProviderSettings } from "../settings.ts";
import { startCall, type UpstreamCall } from "../upstream/call.ts";
import { locateError } from "../upstream/error-body.ts";
import { embeddedFailure, responseFailure } from "../upstream/errors.ts";
import { stringifyExact } from "../upstream/exact-json.ts";
import { Upstream } from "../upstream/http.ts";
import { type AnswerReader, malformedAnswer, readAnswer } from "../upstream/read-answer.ts";
import { readText } from "../upstream/read-text.ts";
import type { UpstreamResponse } from "../upstream/response.ts";
import { type AnswerState, endEvents, mistralCodes, startAnswer, toEvents } from "./events.ts";
import { limitationsOf } from "./limitations.ts";
import { continuedText } from "./messages.ts";
import { toRequest } from "./request.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** Mistral's chat completions: OpenAI's dialect with its own messages and content. */
export function createMistralAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings);
  const { name, apiKey } = settings;

  async function* ask(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
    streamed: boolean,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const call = startCall(context);
    const headers = {
      accept: streamed ? "text/event-stream, application/json" : "application/json",
      ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
    };
    const body = stringifyExact(toRequest(request, model, name, streamed));
    const response = await upstream.post("/chat/completions", body, headers, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call, mistralCodes);
      yield [started()];
      const hideReasoning = request.reasoning?.format === ReasoningFormat.HIDDEN;
      const answer = startAnswer(call, hideReasoning, continuedText(request));
      if (response.header("content-type")?.includes("application/json")) {
        yield await readWhole(response, call, answer);
      } else {
        yield* readAnswer(response, call, streamReader(answer));
      }
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    stream: (request, model, context) => ask(request, model, context, true),
    complete: (request, model, context) => ask(request, model, context, false),
    limitations: limitationsOf,
    describe: (request, model) => toRequest(request, model, name, true),
    close: () => upstream.close(),
  };
}

function streamReader(answer: AnswerState): AnswerReader {
  return {
    read({ event, data }, batch) {
      if (event === "error") throw embeddedFailure(locateError(data), answer.call, mistralCodes);
      const isDone = data === "[DONE]";
      if (isDone) endEvents(answer, batch);
      else toEvents(answer, data, batch);
      return isDone;
    },
    end: (batch) => endEvents(answer, batch),
  };
}

async function readWhole(response: UpstreamResponse, call: UpstreamCall, answer: AnswerState) {
  const { text, whole } = await readText(response, wholeAnswerLimit);
  if (!whole) throw malformedAnswer(call, "it is too long");
  const batch: ChatEvent[] = [];
  toEvents(answer, text, batch);
  endEvents(answer, batch);
  return batch;
}

export const mistralDeclaration: ProviderDeclaration = {
  name: "mistral",
  keyVariable: "MISTRAL_API_KEY",
  baseUrlVariable: "MISTRAL_BASE_URL",
  defaultBaseUrl: "https://api.mistral.ai/v1",
  onBy: "key",
  create: createMistralAdapter,
};
