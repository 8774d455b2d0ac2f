import { type ChatEvent, started } from "../../chat/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderSettings } from "../settings.ts";
import { startCall } from "../upstream/call.ts";
import { responseFailure } from "../upstream/errors.ts";
import { stringifyExact } from "../upstream/exact-json.ts";
import { Upstream } from "../upstream/http.ts";
import { malformedAnswer, readAnswer } from "../upstream/read-answer.ts";
import { readText } from "../upstream/read-text.ts";
import type { UpstreamResponse } from "../upstream/response.ts";
import { type AnswerState, endEvents, startAnswer, toEvents } from "./events.ts";
import { limitationsOf } from "./limitations.ts";
import { toRequest } from "./request.ts";
import { type TemplateName, templateFor } from "./templates.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** v1 of the engine: a raw prompt goes in, and text comes out. */
export function createCompletionsAdapter(
  settings: ProviderSettings,
  authorization: Readonly<Record<string, string>>,
  template: TemplateName | undefined,
): Adapter {
  const upstream = new Upstream(settings);
  const { name } = settings;
  const templateOf = ({ providerModel }: Model) => template ?? templateFor(providerModel);
  const toBody = (request: ChatRequest, model: Model) => toRequest(request, templateOf(model), name);

  async function* ask(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
    streamed: boolean,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const call = startCall(context);
    const body = toBody(request, model);
    const path = `/v1/llm/completions-${streamed ? "stream" : "sync"}?model_endpoint_name=${encodeURIComponent(model.providerModel)}`;
    const response = await upstream.post(path, stringifyExact(body), authorization, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call);
      yield [started()];
      const answer = startAnswer(call, request, body.max_new_tokens);
      yield* streamed ? readEvents(response, answer) : readWhole(response, answer);
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    maxChoices: 1,
    stream: (request, model, context) => ask(request, model, context, true),
    complete: (request, model, context) => ask(request, model, context, false),
    limitations: (request, model) => limitationsOf(request, templateOf(model) !== undefined),
    describe: toBody,
    close: () => upstream.close(),
  };
}

function readEvents(response: UpstreamResponse, answer: AnswerState) {
  return readAnswer(response, answer.call, {
    read({ data }, batch) {
      toEvents(answer, data, batch);
      if (answer.finished) batch.push(...endEvents(answer));
      return answer.finished;
    },
    end: (batch) => batch.push(...endEvents(answer)),
  });
}

async function* readWhole(
  response: UpstreamResponse,
  answer: AnswerState,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
  const { text, whole } = await readText(response, wholeAnswerLimit);
  if (!whole) throw malformedAnswer(answer.call, "it is too long");
  const batch: ChatEvent[] = [];
  toEvents(answer, text, batch);
  answer.finished = true;
  yield [...batch, ...endEvents(answer)];
}
