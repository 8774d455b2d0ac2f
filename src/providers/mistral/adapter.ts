import { functionsOf } from "../../chat/planning/function-tools.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { eventDecoder } from "../../upstream/whole-body.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import { chatCompletionsNames } from "../chat-completions/contract-fields.ts";
import type { EmbeddingQuirks } from "../chat-completions/embedding-quirks.ts";
import { createEmbeddings } from "../chat-completions/embeddings.ts";
import { openAiEndpoint } from "../chat-completions/endpoint.ts";
import { keyHeader } from "../kit/attempt-key.ts";
import { mistralCallIds } from "../kit/call-ids.ts";
import { commonHeaders, responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { openAiToolNames } from "../kit/tool-names.ts";
import { checkSupport } from "./adaptations.ts";
import { mistralErrors } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { continuedText } from "./messages.ts";
import { mistralQuirks } from "./quirks.ts";
import { toRequest } from "./request.ts";

/**
 * https://docs.mistral.ai/api/endpoint/embeddings. The API rejects more inputs (code 3210), and more tokens: "Too many
 * tokens in batch. Max is 16384".
 */
const mistralEmbeddings: EmbeddingQuirks = {
  form: "maybe",
  maxInputs: 512,
  maxTokens: 16_384,
  dimensions: "output_dimension",
};

/** Creates an adapter for Mistral's API: OpenAI's Chat Completions with a different format of messages. */
export function createMistralAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings, commonHeaders);
  const { name, dialect, baseUrl, keys } = settings;
  const shared = { settings, upstream, endpoint: openAiEndpoint(settings) };

  function send(request: ChatRequest, model: Model, context: AdapterContext, streamed: boolean) {
    return exchange(upstream, context, (call) => ({
      path: "/chat/completions",
      headers: {
        accept: streamed ? "text/event-stream, application/json" : "application/json",
        ...keyHeader("authorization", call, settings),
      },
      body: stringifyExact(toRequest(request, model, name, streamed)),
      accepted: [started()],
      failure: (response) => responseFailure(response, call, mistralErrors),
      read: (response) => ({
        decoder: eventDecoder(response, call),
        answer: startAnswer(call, {
          hideReasoning: request.reasoning?.format === ReasoningFormat.HIDDEN,
          continued: continuedText(request),
          functionNames: functionsOf(request).map((tool) => tool.name),
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
    stream: (request, model, context) => send(request, model, context, true),
    complete: (request, model, context) => send(request, model, context, false),
    toolNames: openAiToolNames,
    accepts: new Set(["raw_arguments", "citations", "file_ids", "provider_tools"]),
    rejectedText: () => "empty",
    // Mistral also hosts other vendors' models, and requires ids of this form for all of them.
    callIds: () => mistralCallIds,
    checkSupport,
    contractNames: chatCompletionsNames(mistralQuirks),
    extraFields: new Set(["safe_prompt", "prompt_mode", "guardrails", "metadata"]),
    describe: (request, model) => toRequest(request, model, name, true),
    embeddings: createEmbeddings(shared, mistralQuirks, mistralEmbeddings, mistralErrors),
    close: () => upstream.close(),
  };
}
