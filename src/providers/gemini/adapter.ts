import { type ChatEvent, started } from "../../chat/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderSettings } from "../settings.ts";
import { startCall, type UpstreamCall } from "../upstream/call.ts";
import { responseFailure } from "../upstream/errors.ts";
import { stringifyExact } from "../upstream/exact-json.ts";
import { Upstream } from "../upstream/http.ts";
import { malformedAnswer, readAnswer } from "../upstream/read-answer.ts";
import { readText } from "../upstream/read-text.ts";
import { reasonOfGoogleCode } from "./errors.ts";
import { type AnswerState, endEvents, startAnswer, toEvents } from "./events.ts";
import { limitationsOf, type Route } from "./limitations.ts";
import { toRequest } from "./request.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** Leave to ask: what goes in front of a model's path, and what proves who asks. */
export interface Access {
  readonly pathPrefix: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One way to the method generateContent. */
export interface Gate extends Route {
  access(call: UpstreamCall): Promise<Access>;
  /** The proof was not accepted: the next call needs a new one. */
  forget?(): void;
}

/** The dialect of generateContent, as one of Google's services speaks it. */
export function createGenerateContentAdapter(settings: ProviderSettings, gate: Gate): Adapter {
  const upstream = new Upstream(settings);
  const { name } = settings;

  async function* ask(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
    streamed: boolean,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const call = startCall(context);
    const { pathPrefix, headers } = await gate.access(call);
    // Without alt=sse the stream is one growing JSON list.
    const method = streamed ? "streamGenerateContent?alt=sse" : "generateContent";
    const path = `${pathPrefix}/models/${encodeURIComponent(model.providerModel)}:${method}`;
    const response = await upstream.post(path, stringifyExact(toRequest(request, model, name)), headers, call);
    try {
      if (response.status === 401) gate.forget?.();
      if (response.status >= 300) throw await responseFailure(response, call, reasonOfGoogleCode);
      yield [started()];
      const answer = startAnswer(call, model, request.reasoning?.format === ReasoningFormat.HIDDEN);
      if (streamed) {
        yield* readAnswer(response, call, {
          read({ data }, batch) {
            toEvents(answer, data, batch);
            return false;
          },
          // The end of the body is the only end: there is no [DONE].
          end: (batch) => endEvents(answer, batch),
        });
      } else {
        const { text, whole } = await readText(response, wholeAnswerLimit);
        if (!whole) throw malformedAnswer(call, "it is too long");
        yield readWhole(answer, text);
      }
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    // Few models take candidateCount. Callers can set it for those that do, in the provider's options.
    maxChoices: 1,
    stream: (request, model, context) => ask(request, model, context, true),
    complete: (request, model, context) => ask(request, model, context, false),
    limitations: (request, model) => limitationsOf(request, model, gate),
    describe: (request, model) => toRequest(request, model, name),
    close: () => upstream.close(),
  };
}

function readWhole(answer: AnswerState, text: string): readonly ChatEvent[] {
  const batch: ChatEvent[] = [];
  toEvents(answer, text, batch);
  endEvents(answer, batch);
  return batch;
}
