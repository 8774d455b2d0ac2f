import { hasFunctions } from "../../chat/planning/function-tools.ts";
import type { OwnField } from "../../chat/planning/learned.ts";
import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { eventDecoder } from "../../upstream/whole-body.ts";
import type { Adapter } from "../adapter.ts";
import { keyHeader } from "../kit/attempt-key.ts";
import { anyCallIds } from "../kit/call-ids.ts";
import { commonHeaders, responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { cohereSchemas } from "../kit/schema-rules.ts";
import { checkSupport } from "./adaptations.ts";
import { cohereNames } from "./contract-fields.ts";
import { wantsCitations } from "./documents.ts";
import { createCohereEmbeddings } from "./embeddings.ts";
import { cohereErrors } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { type BodyForm, toRequest, usualForm } from "./request.ts";

/** Creates an adapter for Cohere's Chat API, version 2. */
export function createCohereAdapter(settings: ProviderSettings): Adapter {
  return adapterOf(new Upstream(settings, commonHeaders), settings, usualForm);
}

/** Field that turns citations of tool results off. */
const citationOptions: OwnField = { name: "citation_options" };

function adapterOf(upstream: Upstream, settings: ProviderSettings, form: BodyForm): Adapter {
  const { name, dialect, baseUrl, keys } = settings;

  return {
    name,
    dialect,
    baseUrl,
    keys,
    ownFields: (request) =>
      form.citations === "off" && hasFunctions(request) && !wantsCitations(request) ? [citationOptions] : [],
    without: (names) => adapterOf(upstream, settings, names.has(citationOptions.name) ? { citations: "unset" } : form),
    maxChoices: 1,
    accepts: new Set<OptionalContent>(["citations", "raw_arguments", "search_results", "citable"]),
    // The rule that cohere-ai documents at Tool.name, which is of its API v1; v2 documents none.
    toolNames: { maxLength: 64, punctuation: "_", beginsWithLetter: true },
    rejectedText: () => "empty",
    stopRule: () => ({ max: 5 }),
    callIds: () => anyCallIds,
    schemas: () => cohereSchemas,
    stream: (request, model, context) =>
      exchange(upstream, context, (call) => ({
        path: "/v2/chat",
        headers: { accept: "text/event-stream", ...keyHeader("authorization", call, settings) },
        body: stringifyExact(toRequest(request, model, name, form)),
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
    extraFields: new Set(["documents", "citation_options", "safety_mode", "raw_prompting", "priority"]),
    describe: (request, model) => toRequest(request, model, name, form),
    embeddings: createCohereEmbeddings(upstream, settings),
    close: () => upstream.close(),
  };
}
