import { type ChatEvent, started } from "../../chat/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderDeclaration } from "../declaration.ts";
import type { ProviderSettings } from "../settings.ts";
import { startCall } from "../upstream/call.ts";
import { responseFailure } from "../upstream/errors.ts";
import { stringifyExact } from "../upstream/exact-json.ts";
import { Upstream } from "../upstream/http.ts";
import { readAnswer } from "../upstream/read-answer.ts";
import { endEvents, reasonOfCode, startAnswer, toEvents } from "./events.ts";
import { limitationsOf } from "./limitations.ts";
import { toRequest } from "./request.ts";

/** The next version, 2026-10-21, refuses temperature, top_p and top_k on every model. */
const apiVersion = "2023-06-01";

/**
 * Anthropic's Messages API. There is no `complete`: whole answers are refused where `max_tokens` is large, and would
 * give the arguments of tools as objects instead of as the model wrote them.
 */
export function createAnthropicAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings);
  const { name, apiKey } = settings;
  const toBody = (request: ChatRequest, model: Model) => stringifyExact(toRequest(request, model, name));

  async function* stream(
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    const call = startCall(context);
    const headers = {
      accept: "text/event-stream",
      "anthropic-version": apiVersion,
      ...(apiKey && { "x-api-key": apiKey.reveal() }),
    };
    const response = await upstream.post("/v1/messages", toBody(request, model), headers, call);
    try {
      if (response.status >= 300) throw await responseFailure(response, call, reasonOfCode);
      yield [started()];
      const answer = startAnswer(call);
      yield* readAnswer(response, call, {
        read: ({ data }, batch) => toEvents(answer, data, batch),
        end: (batch) => endEvents(answer, batch),
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
    describe: (request, model): unknown => JSON.parse(toBody(request, model)),
    close: () => upstream.close(),
  };
}

export const anthropicDeclaration: ProviderDeclaration = {
  name: "anthropic",
  keyVariable: "ANTHROPIC_API_KEY",
  baseUrlVariable: "ANTHROPIC_BASE_URL",
  defaultBaseUrl: "https://api.anthropic.com",
  onBy: "key",
  create: createAnthropicAdapter,
};
