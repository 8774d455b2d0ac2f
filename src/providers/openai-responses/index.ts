import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import type { Upstream } from "../../upstream/http.ts";
import { eventDecoder } from "../../upstream/whole-body.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { Endpoint } from "../chat-completions/endpoint.ts";
import { familyCallIds, openAiCallIds } from "../kit/call-ids.ts";
import { responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { openAiToolNames } from "../kit/tool-names.ts";
import { checkSupport } from "./adaptations.ts";
import { responsesNames } from "./contract-fields.ts";
import { responsesErrors } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { ownFields } from "./own-fields.ts";
import { toRequest } from "./request.ts";
import type { ResponsesServer } from "./server.ts";

const accepts: ReadonlySet<OptionalContent> = new Set([
  "raw_arguments",
  "server_tools",
  "citations",
  "output_media",
  "file_ids",
  "provider_tools",
]);

/** Fields that OpenAI documents and ChatRequest lacks. */
const extraFields: ReadonlySet<string> = new Set([
  ...["metadata", "moderation", "prompt_cache_options", "prompt_cache_retention", "store", "verbosity"],
  ...["include", "max_tool_calls"],
]);

/** What the adapter shares with another one of the same provider. */
export interface ResponsesConnection {
  readonly settings: ProviderSettings;
  readonly endpoint: Endpoint;
  readonly upstream: Upstream;
}

/** Creates the adapter for OpenAI's Responses API. */
export function createResponsesAdapter(connection: ResponsesConnection, server: ResponsesServer): Adapter {
  const { settings, endpoint, upstream } = connection;
  const { name, dialect, baseUrl, keys } = settings;
  const errors = responsesErrors(server.reasons, endpoint.baseUrlLacks);
  const toBody = (request: ChatRequest, model: Model, streamed: boolean) =>
    toRequest(request, model, server, name, streamed);

  function send(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, async (call) => ({
      path: endpoint.path(model, "responses"),
      headers: {
        accept: streamed ? "text/event-stream, application/json" : "application/json",
        ...(await endpoint.authorize(call)),
      },
      body: stringifyExact(toBody(request, model, streamed)),
      accepted: [started()],
      failure: (response) => responseFailure(response, call, errors),
      read: (response) => ({
        decoder: eventDecoder(response, call),
        answer: startAnswer(call, { hideReasoning: request.reasoning?.format === ReasoningFormat.HIDDEN, errors }),
        toEvents,
        endEvents,
      }),
    }));
  }

  return {
    name,
    dialect,
    baseUrl,
    keys,
    accepts,
    contractNames: responsesNames,
    extraFields,
    maxChoices: 1,
    takesAllowedTools: true,
    toolNames: openAiToolNames,
    callIds: ({ providerModel }) => familyCallIds(providerModel) ?? openAiCallIds,
    schemas: () => server.schemas,
    ownFields: (request, model) => ownFields(request, model, server),
    without: (names) => createResponsesAdapter(connection, { ...server, without: server.without.union(names) }),
    stream: (request, model, context) => send(request, model, context, true),
    complete: (request, model, context) => send(request, model, context, false),
    checkSupport: (request, model) => checkSupport(request, model, server, name),
    describe: (request, model) => toBody(request, model, true),
    close: () => upstream.close(),
  };
}
