import { type ChatEvent, started } from "../../chat/events.ts";
import type { Reason } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderDeclaration } from "../declaration.ts";
import type { ProviderSettings } from "../settings.ts";
import { startCall } from "../upstream/call.ts";
import { responseFailure } from "../upstream/errors.ts";
import { stringifyExact } from "../upstream/exact-json.ts";
import { Upstream } from "../upstream/http.ts";
import { cutAnswer, readAnswer } from "../upstream/read-answer.ts";
import { startAnswer, toEvents } from "./events.ts";
import { limitationsOf } from "./limitations.ts";
import { toRequest } from "./request.ts";

/** Cohere's errors have no codes, and one status that others have not: the connection closed on the way. */
const reasons: Readonly<Record<string, Reason>> = { "499": "PROVIDER_UNAVAILABLE" };

/** Cohere's chat, version 2 of its API. */
export function createCohereAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings);
  const { name, apiKey } = settings;

  async function* stream(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const call = startCall(context);
    const headers = {
      accept: "text/event-stream",
      ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
    };
    const body = stringifyExact(toRequest(request, model, name));
    const response = await upstream.post("/v2/chat", body, headers, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call, reasons);
      yield [started()];
      const answer = startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN);
      yield* readAnswer(response, call, {
        read: ({ data }, batch) => toEvents(answer, data, batch),
        end: () => {
          throw cutAnswer(call);
        },
      });
      response.finish();
    } finally {
      response.close();
    }
  }

  return {
    name,
    maxChoices: 1,
    stream,
    limitations: limitationsOf,
    describe: (request, model) => toRequest(request, model, name),
    close: () => upstream.close(),
  };
}

export const cohereDeclaration: ProviderDeclaration = {
  name: "cohere",
  keyVariable: "COHERE_API_KEY",
  baseUrlVariable: "COHERE_BASE_URL",
  defaultBaseUrl: "https://api.cohere.com",
  onBy: "key",
  create: createCohereAdapter,
};
