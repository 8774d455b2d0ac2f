import { type ChatEvent, completed, finished, started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { locateError } from "../../upstream/error-body.ts";
import { embeddedFailure, reasonOfCode, responseFailure } from "../../upstream/errors.ts";
import { Upstream } from "../../upstream/http.ts";
import { isWhole, readWhole } from "../../upstream/read-answer.ts";
import type { UpstreamResponse } from "../../upstream/response.ts";
import { EventReader, type ServerSentEvent } from "../../upstream/sse.ts";
import { startCall, type UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { checkSupport } from "./adaptations.ts";
import { type AnswerState, endEvents, startAnswer, toEvents } from "./events.ts";
import type { Quirks } from "./quirks.ts";
import { toRequest } from "./request.ts";
import type { ChatBody } from "./wire.ts";

/** The code of the error by which Azure says that its filter held the prompt back. */
const filteredPromptCode = "content_filter";

/** How a server is reached. */
export interface Access {
  /** The path and query, after the base URL. */
  path(model: Model): string;
  /** The headers that carry the key. */
  authorize(call: UpstreamCall): Promise<Readonly<Record<string, string>>>;
}

function openAiAccess({ apiKey }: ProviderSettings): Access {
  return {
    path: () => "/chat/completions",
    authorize: async () => (apiKey ? { authorization: `Bearer ${apiKey.reveal()}` } : {}),
  };
}

/** The dialect of OpenAI's Chat Completions, as one server speaks it. */
export function createOpenAiAdapter(
  settings: ProviderSettings,
  quirks: Quirks,
  access: Access = openAiAccess(settings),
): Adapter {
  const upstream = new Upstream(settings);
  const { name } = settings;
  const reasons = { ...reasonOfCode, ...quirks.reasons };
  const maxChoices = quirks.fields["parameters.n"] === undefined ? 1 : quirks.maxChoices;
  const canStream = (request: ChatRequest) => !quirks.onlyWhole?.(request);
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
      ...headerOptions(request.providerOptions[name], quirks),
      ...(await access.authorize(call)),
    };
    const body = stringify(toBody(request, model, streamed));
    const response = await upstream.post(access.path(model), body, headers, call);
    try {
      if (response.status >= 300) {
        const failure = await responseFailure(response, call, reasons);
        if (failure.facts.provider?.code !== filteredPromptCode) throw failure;
        yield [started(), ...filteredPrompt];
        return;
      }
      const answer = startAnswer(call, {
        hideReasoning: request.reasoning?.format === ReasoningFormat.HIDDEN,
        keepDetails: quirks.reasoningReplay === "reasoning_details",
        isWhole: isWhole(response),
        reasons,
      });
      if (answer.isWhole) {
        yield [started(), ...(await wholeBatch(response, answer))];
      } else {
        yield [started()];
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
    ...(maxChoices !== undefined && { maxChoices }),
    stream: (request, model, context) => ask(request, model, context, canStream(request)),
    // A stream of 256 chunks costs about eight times the CPU of the same answer in one piece.
    complete: (request, model, context) => ask(request, model, context, false),
    checkSupport: (request, model) => checkSupport(request, model, quirks),
    describe: (request, model) => toBody(request, model, canStream(request)),
    close: () => upstream.close(),
  };
}

/** Only schemas have to be exact, and JSON.stringify alone is several times faster. */
function stringify(body: ChatBody): string {
  return body.tools || body.response_format ? stringifyExact(body) : JSON.stringify(body);
}

/** A prompt that was held back is an answer, as content that was held back is. */
const filteredPrompt: readonly ChatEvent[] = [
  finished(0, FinishReason.CONTENT_FILTER, filteredPromptCode),
  completed(),
];

function headerOptions(
  options: Readonly<Record<string, unknown>> | undefined,
  quirks: Quirks,
): Readonly<Record<string, string>> {
  const given = quirks.headerOptions.filter((name) => options?.[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, String(options?.[name])]));
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
      if (event === "error") throw embeddedFailure(locateError(data), answer.call, answer.reasons);
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

async function wholeBatch(response: UpstreamResponse, answer: AnswerState): Promise<readonly ChatEvent[]> {
  const batch: ChatEvent[] = [];
  toEvents(answer, await readWhole(response, answer.call), batch);
  return [...batch, ...endEvents(answer)];
}
