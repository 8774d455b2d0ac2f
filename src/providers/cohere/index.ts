import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { eventDecoder } from "../../upstream/whole-body.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import { anyCallIds } from "../kit/call-ids.ts";
import { commonHeaders, responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { cohereSchemas } from "../kit/schema-rules.ts";
import { checkSupport } from "./adaptations.ts";
import { cohereNames } from "./contract-fields.ts";
import { cohereErrors } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { cohereModels } from "./models.ts";
import { toRequest } from "./request.ts";

/** Creates an adapter for Cohere's Chat API, version 2. */
export function createCohereAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings, commonHeaders);
  const { name, apiKey } = settings;

  const headers = { accept: "text/event-stream", ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }) };

  return {
    name,
    maxChoices: 1,
    accepts: new Set<OptionalContent>(["citations", "raw_arguments"]),
    // The rule that cohere-ai documents at Tool.name, which is of its API v1; v2 documents none.
    toolNames: { maxLength: 64, punctuation: "_", beginsWithLetter: true },
    rejectedText: () => "empty",
    callIds: () => anyCallIds,
    schemas: () => cohereSchemas,
    stream: (request, model, context) =>
      exchange(upstream, context, (call) => ({
        path: "/v2/chat",
        headers,
        body: stringifyExact(toRequest(request, model, name)),
        accepted: [started()],
        failure: (response) => responseFailure(response, call, cohereErrors),
        read: (response) => ({
          decoder: eventDecoder(response, call),
          answer: startAnswer(call, request.reasoning?.format === ReasoningFormat.HIDDEN),
          toEvents,
          endEvents,
        }),
      })),
    checkSupport,
    contractNames: cohereNames,
    describe: (request, model) => toRequest(request, model, name),
    close: () => upstream.close(),
  };
}

export const provider: ProviderDefinition = {
  name: "cohere",
  modelsDevName: "cohere",
  variables: { apiKey: "COHERE_API_KEY", baseUrl: "COHERE_BASE_URL" },
  defaultBaseUrl: "https://api.cohere.com",
  onBy: "key",
  models: () => cohereModels,
  create: createCohereAdapter,
};
