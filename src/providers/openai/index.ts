import { type ChatEvent, started } from "../../chat/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderSettings } from "../settings.ts";
import { startCall } from "../upstream/call.ts";
import { locateError } from "../upstream/error-body.ts";
import { embeddedFailure, responseFailure } from "../upstream/errors.ts";
import { Upstream } from "../upstream/http.ts";
import { readText } from "../upstream/read-text.ts";
import type { UpstreamResponse } from "../upstream/response.ts";
import { readEvents } from "../upstream/sse.ts";
import { type AnswerState, endEvents, malformed, startAnswer, toEvents } from "./events.ts";
import { limitationsOf } from "./limitations.ts";
import type { Quirks } from "./quirks.ts";
import { toRequest } from "./request.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** The dialect of OpenAI's Chat Completions, as one server speaks it. */
export function createOpenAiAdapter(settings: ProviderSettings, quirks: Quirks): Adapter {
  const upstream = new Upstream(settings);
  const { name, apiKey } = settings;
  const toBody = (request: ChatRequest, model: Model) => toRequest(request, model, quirks, name);

  async function* stream(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const call = startCall(context);
    const headers = {
      accept: "text/event-stream, application/json",
      ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
    };
    const body = JSON.stringify(toBody(request, model));
    const response = await upstream.post("/chat/completions", body, headers, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call);
      yield [started()];
      const answer = startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN);
      // Some servers answer a request for a stream as a whole, errors included.
      const isWhole = response.header("content-type")?.includes("application/json") === true;
      yield* isWhole ? readWhole(response, answer) : readStream(response, answer);
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    stream,
    limitations: (request, model) => limitationsOf(request, model, quirks),
    describe: toBody,
    close: () => upstream.close(),
  };
}

async function* readStream(response: UpstreamResponse, answer: AnswerState) {
  for await (const events of readEvents(response, answer.call)) {
    const batch: ChatEvent[] = [];
    let isDone = false;
    let failure: unknown;
    try {
      for (const { event, data } of events) {
        if (event === "error") throw embeddedFailure(locateError(data), answer.call);
        isDone = data === "[DONE]";
        if (isDone) break;
        toEvents(answer, data, batch);
      }
      if (isDone) batch.push(...endEvents(answer));
    } catch (error) {
      failure = error;
    }
    // What came before a failure in the same read is the caller's.
    if (batch.length > 0) yield batch;
    if (failure !== undefined) throw failure;
    if (isDone) return;
  }
  yield endEvents(answer);
}

async function* readWhole(response: UpstreamResponse, answer: AnswerState) {
  const { text, whole } = await readText(response, wholeAnswerLimit);
  if (!whole) throw malformed(answer.call, "it is too long");
  const batch: ChatEvent[] = [];
  toEvents(answer, text, batch);
  yield [...batch, ...endEvents(answer)];
}
