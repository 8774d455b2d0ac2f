import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { eventDecoder } from "../../upstream/whole-body.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import { anyCallIds } from "../kit/call-ids.ts";
import { commonHeaders, responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { geminiSchemas } from "../kit/schema-rules.ts";
import { checkSupport } from "./adaptations.ts";
import { generateContentNames } from "./contract-fields.ts";
import { countGoogleTokens } from "./count-tokens.ts";
import { createGoogleEmbeddings } from "./embeddings.ts";
import type { Endpoint } from "./endpoint.ts";
import { googleErrors } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { type BodyForm, includeThoughts, ownFields, usualForm } from "./own-fields.ts";
import { toRequest } from "./request.ts";

/** Creates an adapter for the generateContent API of the Gemini API or Vertex AI. */
export function createGenerateContentAdapter(settings: ProviderSettings, endpoint: Endpoint): Adapter {
  return adapterOf(new Upstream(settings, commonHeaders), settings, endpoint, usualForm);
}

function adapterOf(upstream: Upstream, settings: ProviderSettings, endpoint: Endpoint, form: BodyForm): Adapter {
  const { name, dialect, baseUrl, keys } = settings;

  function send(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, async (call) => {
      const { pathPrefix, headers } = await endpoint.authorize(call);
      // Without `alt=sse`, the stream is one JSON array.
      const method = streamed ? "streamGenerateContent?alt=sse" : "generateContent";
      return {
        path: `${pathPrefix}/models/${encodeURIComponent(model.providerModel)}:${method}`,
        headers,
        body: stringifyExact(toRequest(request, model, name, form)),
        accepted: [started()],
        failure(response) {
          if (response.status === 401) endpoint.forget?.();
          return responseFailure(response, call, googleErrors);
        },
        read: (response) => ({
          decoder: eventDecoder(response, call),
          answer: startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN),
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
    ownFields: (request, model) => ownFields(request, model, form),
    without: (names) =>
      adapterOf(upstream, settings, endpoint, names.has(includeThoughts) ? { thoughts: "unset" } : form),
    // Dragoman sends one request per choice, because few models support `candidateCount`. For those models, callers can
    // set it in the provider options.
    maxChoices: 1,
    // The rule of FunctionDeclaration.name in @google/genai.
    toolNames: { maxLength: 128, punctuation: "_-.", beginsWithLetter: true },
    rejectedText: () => "empty",
    stopRule: () => ({ max: 5 }),
    callIds: () => anyCallIds,
    schemas: () => geminiSchemas,
    takesAllowedTools: true,
    accepts: new Set<OptionalContent>(["output_media", "server_tools", "response_modalities", "provider_tools"]),
    stream: (request, model, context) => send(request, model, context, true),
    complete: (request, model, context) => send(request, model, context, false),
    contractNames: generateContentNames,
    checkSupport: (request, model) => checkSupport(request, model, endpoint),
    describe: (request, model) => toRequest(request, model, name, form),
    countTokens: (request, model) => (context) =>
      countGoogleTokens({ upstream, provider: name, endpoint, form }, request, model, context),
    embeddings: createGoogleEmbeddings(upstream, name, endpoint),
    close: () => upstream.close(),
  };
}
