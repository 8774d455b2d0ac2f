import { type ChatEvent, completed, finished, started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { eventDecoder, isWhole } from "../../upstream/whole-body.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ReportedError } from "../kit/error-body.ts";
import { commonHeaders, readErrorResponse, reportedFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { checkSupport } from "./adaptations.ts";
import { errorsOf } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import type { Quirks } from "./quirks.ts";
import { toRequest } from "./request.ts";
import type { ChatBody } from "./wire.ts";

/** The code of the error by which Azure says that its filter held the prompt back. */
const filteredPromptCode = "content_filter";

/** How a server is reached. */
export interface Endpoint {
  /** The path and query, after the base URL. */
  path(model: Model): string;
  /** The headers that carry the key. */
  authorize(call: UpstreamCall): Promise<Readonly<Record<string, string>>>;
}

function openAiEndpoint({ apiKey }: ProviderSettings): Endpoint {
  return {
    path: () => "/chat/completions",
    authorize: async () => (apiKey ? { authorization: `Bearer ${apiKey.reveal()}` } : {}),
  };
}

/** The dialect of OpenAI's Chat Completions, as one server speaks it. */
export function createOpenAiAdapter(
  settings: ProviderSettings,
  quirks: Quirks,
  endpoint: Endpoint = openAiEndpoint(settings),
): Adapter {
  const upstream = new Upstream(settings, commonHeaders);
  const { name } = settings;
  const errors = errorsOf(quirks);
  const maxChoices = quirks.fields["parameters.n"] === undefined ? 1 : quirks.maxChoices;
  const isStreamed = (request: ChatRequest) => !quirks.onlyWhole?.(request);
  const toBody = (request: ChatRequest, model: Model, streamed: boolean) =>
    toRequest(request, model, quirks, name, streamed);

  function ask(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, async (call) => ({
      path: endpoint.path(model),
      headers: {
        accept: streamed ? "text/event-stream, application/json" : "application/json",
        ...headerOptions(request.providerOptions[name], quirks),
        ...(await endpoint.authorize(call)),
      },
      body: stringify(toBody(request, model, streamed)),
      accepted: [started()],
      async failure(response) {
        const error = await readErrorResponse(response, errors);
        return isFilteredPrompt(error) ? filteredPrompt : reportedFailure(error, call, errors);
      },
      read: (response) => ({
        decoder: eventDecoder(response, call),
        answer: startAnswer(call, {
          hideReasoning: request.reasoning?.format === ReasoningFormat.HIDDEN,
          keepDetails: quirks.reasoningReplay === "reasoning_details",
          isWhole: isWhole(response),
          errors,
        }),
        toEvents,
        endEvents,
      }),
    }));
  }

  return {
    name,
    ...(maxChoices !== undefined && { maxChoices }),
    stream: (request, model, context) => ask(request, model, context, isStreamed(request)),
    // A stream of 256 chunks costs about eight times the CPU of the same answer in one piece.
    complete: (request, model, context) => ask(request, model, context, false),
    checkSupport: (request, model) => checkSupport(request, model, quirks),
    describe: (request, model) => toBody(request, model, isStreamed(request)),
    close: () => upstream.close(),
  };
}

/** Only schemas have to be exact, and JSON.stringify alone is several times faster. */
function stringify(body: ChatBody): string {
  return body.tools || body.response_format ? stringifyExact(body) : JSON.stringify(body);
}

function isFilteredPrompt({ code, type }: ReportedError): boolean {
  return (code || type) === filteredPromptCode;
}

/** A prompt that was held back is an answer, as content that was held back is. */
const filteredPrompt: readonly ChatEvent[] = [
  started(),
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
