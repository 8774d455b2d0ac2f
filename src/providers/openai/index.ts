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
import { EventReader, type ServerSentEvent } from "../upstream/sse.ts";
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
  const toBody = (request: ChatRequest, model: Model, streamed: boolean) =>
    toRequest(request, model, quirks, name, streamed);

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
    const body = JSON.stringify(toBody(request, model, streamed));
    const response = await upstream.post("/chat/completions", body, headers, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call);
      yield [started()];
      const answer = startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN);
      // Some servers answer a request for a stream as a whole, errors included.
      if (response.header("content-type")?.includes("application/json")) {
        yield await readWhole(response, answer);
      } else {
        const reader = new EventReader(response, call);
        for (let isDone = false; !isDone; ) {
          const read = toBatch(answer, await reader.next());
          // What came before a failure in the same read is the caller's.
          if (read.batch.length > 0) yield read.batch;
          if (read.failure !== undefined) throw read.failure;
          isDone = read.isDone;
        }
      }
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    stream: (request, model, context) => ask(request, model, context, true),
    // A stream of 256 chunks costs about eight times the CPU of the same answer in one piece.
    complete: (request, model, context) => ask(request, model, context, false),
    limitations: (request, model) => limitationsOf(request, model, quirks),
    describe: (request, model) => toBody(request, model, true),
    close: () => upstream.close(),
  };
}

interface Read {
  readonly batch: readonly ChatEvent[];
  readonly isDone: boolean;
  readonly failure: unknown;
}

/** What one read of a stream says; undefined stands for its end. */
function toBatch(answer: AnswerState, events: readonly ServerSentEvent[] | undefined): Read {
  const batch: ChatEvent[] = [];
  let isDone = events === undefined;
  try {
    for (const { event, data } of events ?? []) {
      if (event === "error") throw embeddedFailure(locateError(data), answer.call);
      isDone = data === "[DONE]";
      if (isDone) break;
      toEvents(answer, data, batch);
    }
    if (isDone) batch.push(...endEvents(answer));
    return { batch, isDone, failure: undefined };
  } catch (failure) {
    return { batch, isDone, failure };
  }
}

async function readWhole(response: UpstreamResponse, answer: AnswerState): Promise<readonly ChatEvent[]> {
  const { text, whole } = await readText(response, wholeAnswerLimit);
  if (!whole) throw malformed(answer.call, "it is too long");
  const batch: ChatEvent[] = [];
  toEvents(answer, text, batch);
  return [...batch, ...endEvents(answer)];
}
