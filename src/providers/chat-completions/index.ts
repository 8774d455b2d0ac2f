import { functionsOf } from "../../chat/planning/function-tools.ts";
import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { eventDecoder, isWhole } from "../../upstream/whole-body.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import { commonHeaders, responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { checkSupport } from "./adaptations.ts";
import { chatCompletionsNames } from "./contract-fields.ts";
import { conversationRulesOf } from "./conversation-rules.ts";
import { createEmbeddings } from "./embeddings.ts";
import { type Endpoint, openAiEndpoint, type Shared } from "./endpoint.ts";
import { errorsOf } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { listModels } from "./list-models.ts";
import { audioTypeOf, wholeAudio } from "./output-modalities.ts";
import { ownFields, withoutOwnFields } from "./own-fields.ts";
import type { Quirks } from "./quirks.ts";
import { toRequest } from "./request.ts";
import type { ChatBody } from "./wire.ts";

/** Creates an adapter for one server with the Chat Completions API. `quirks` states how it differs from others. */
export function createOpenAiAdapter(
  settings: ProviderSettings,
  quirks: Quirks,
  endpoint: Endpoint = openAiEndpoint(settings),
  upstream = new Upstream(settings, commonHeaders),
): Adapter {
  return adapterOf({ settings, endpoint, upstream, contractNames: chatCompletionsNames(quirks) }, quirks);
}

function adapterOf(shared: Shared, quirks: Quirks): Adapter {
  const { settings, endpoint, upstream, contractNames } = shared;
  const { name, dialect, baseUrl, keys } = settings;
  const errors = errorsOf(quirks, endpoint.baseUrlLacks);
  const maxChoices = quirks.fields["parameters.n"] === undefined ? 1 : quirks.maxChoices;
  const checkStream = (request: ChatRequest) =>
    [quirks.onlyWhole?.(request), wholeAudio(request, quirks)].filter((found) => found !== undefined);
  const isStreamed = (request: ChatRequest) => checkStream(request).length === 0;
  const toBody = (request: ChatRequest, model: Model, streamed: boolean) =>
    toRequest(request, model, quirks, name, streamed);

  function send(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, async (call) => ({
      path: endpoint.path(model, "chat/completions"),
      headers: {
        accept: streamed ? "text/event-stream, application/json" : "application/json",
        ...headerOptions(request.providerOptions[name], quirks),
        ...(await endpoint.authorize(call)),
      },
      body: stringify(toBody(request, model, streamed)),
      accepted: [started()],
      failure: (response) => responseFailure(response, call, errors),
      read: (response) => ({
        decoder: eventDecoder(response, call),
        answer: startAnswer(call, {
          hideReasoning: request.reasoning?.format === ReasoningFormat.HIDDEN,
          keepDetails: quirks.reasoningReplay === "reasoning_details",
          isWhole: isWhole(response),
          audioType: audioTypeOf(request, streamed),
          functionNames: functionsOf(request).map((tool) => tool.name),
          errors,
        }),
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
    ownFields: (request, model) => ownFields(request, model, quirks, isStreamed(request)),
    without: (names) => adapterOf(shared, withoutOwnFields(quirks, names)),
    ...(maxChoices !== undefined && { maxChoices }),
    ...(quirks.toolNames && { toolNames: quirks.toolNames }),
    rejectedText: (model) => conversationRulesOf(model).rejectedText,
    stopRule: (model) => ({ ...quirks.stopRule, ...conversationRulesOf(model).stopRule }),
    callIds: ({ providerModel }) => quirks.callIds(providerModel),
    schemas: ({ providerModel }) => quirks.schemas(providerModel),
    takesAllowedTools: quirks.allowedTools,
    accepts: acceptedContent(quirks),
    stream: (request, model, context) => send(request, model, context, isStreamed(request)),
    // A stream of 256 chunks costs about eight times the CPU of the same response as one JSON body.
    complete: (request, model, context) => send(request, model, context, false),
    contractNames,
    extraFields: new Set(quirks.extraFields),
    checkSupport: (request, model) => checkSupport(request, model, quirks),
    checkStream,
    describe: (request, model) => toBody(request, model, isStreamed(request)),
    ...(quirks.embeddings && { embeddings: createEmbeddings(shared, quirks, quirks.embeddings, errors) }),
    ...(settings.listsModels && { listModels: (context) => listModels(shared, errors, context) }),
    close: () => upstream.close(),
  };
}

/** Returns the optional content that a server supports. All of them take arguments of tool calls as text. */
function acceptedContent({ outputs, annotations, providerTools, media }: Quirks): ReadonlySet<OptionalContent> {
  return new Set<OptionalContent>([
    "raw_arguments",
    ...(outputs.length > 0 ? (["response_modalities", "output_media"] as const) : []),
    ...(annotations ? (["citations"] as const) : []),
    ...(media.includes("file_id") ? (["file_ids"] as const) : []),
    ...(providerTools ? (["provider_tools"] as const) : []),
  ]);
}

/** Serializes a body. Uses JSON.stringify, which is several times faster, unless schemas need `stringifyExact`. */
function stringify(body: ChatBody): string {
  return body.tools || body.response_format ? stringifyExact(body) : JSON.stringify(body);
}

function headerOptions(
  options: Readonly<Record<string, unknown>> | undefined,
  quirks: Quirks,
): Readonly<Record<string, string>> {
  const given = quirks.headerOptions.filter((name) => options?.[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, String(options?.[name])]));
}
