import { create } from "@bufbuild/protobuf";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { eventDecoder, isWhole } from "../../upstream/whole-body.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import { commonHeaders, responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { checkSupport } from "./adaptations.ts";
import { completionNames } from "./contract-fields.ts";
import { llmEngineErrors } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import type { Prompts } from "./prompts.ts";
import { demanded, toRequest } from "./request.ts";

/** Creates the adapter for LLM Engine v1, which completes a raw prompt with text. */
export function createCompletionsAdapter(
  settings: ProviderSettings,
  authorize: (call: UpstreamCall) => Readonly<Record<string, string>>,
  prompts: Prompts,
): Adapter {
  const upstream = new Upstream(settings, commonHeaders);
  const { name, dialect, baseUrl, keys } = settings;

  function send(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, async (call) => {
      const prompt = context.prompt ?? (await prompts.render(request, model, context));
      const body = toRequest(request, prompt, name);
      const endpoint = encodeURIComponent(model.providerModel);
      return {
        path: `/v1/llm/completions-${streamed ? "stream" : "sync"}?model_endpoint_name=${endpoint}`,
        headers: authorize(call),
        body: stringifyExact(body),
        accepted: [started()],
        failure: (response) => responseFailure(response, call, llmEngineErrors),
        read: (response) => ({
          decoder: eventDecoder(response, call),
          answer: startAnswer(call, body.max_new_tokens, isWhole(response)),
          toEvents,
          endEvents,
        }),
      };
    });
  }

  return {
    name,
    dialect,
    baseUrl,
    keys,
    contractNames: completionNames,
    maxChoices: 1,
    needsOutputLimit: true,
    stream: (request, model, context) => send(request, model, context, true),
    complete: (request, model, context) => send(request, model, context, false),
    prompt: (request, model, claimant) => prompts.render(request, model, claimant),
    checkSupport: (request, model) => checkSupport(request, prompts.choose(model)),
    effectiveParameters: ({ parameters = create(GenerationParametersSchema) }) => ({
      ...parameters,
      temperature: parameters.temperature ?? demanded.temperature,
      maxOutputTokens: parameters.maxOutputTokens ?? demanded.max_new_tokens,
    }),
    describe(request, model, prompt) {
      // `describe` does not render a caller's template, because rendering needs a separate process and time.
      const isStock = request.chatTemplate === undefined;
      const written = prompt ?? (isStock ? prompts.renderStock(request, model) : undefined);
      return { ...toRequest(request, written ?? "", name), prompt: written };
    },
    async close() {
      prompts.close();
      await upstream.close();
    },
  };
}
