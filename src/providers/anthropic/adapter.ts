import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import type { OptionalContent } from "../../chat/planning/optional-content.ts";
import { started } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { exchange } from "../../upstream/exchange.ts";
import { Upstream } from "../../upstream/http.ts";
import { eventDecoder } from "../../upstream/whole-body.ts";
import type { Adapter } from "../adapter.ts";
import { claudeRulesOf } from "../claude/claude-models.ts";
import { claudeStops } from "../claude/stop-rule.ts";
import { keyHeader } from "../kit/attempt-key.ts";
import { claudeCallIds } from "../kit/call-ids.ts";
import { responseFailure } from "../kit/errors.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { claudeSchemas } from "../kit/schema-rules.ts";
import { requestWhole } from "../kit/whole-exchange.ts";
import { checkSupport } from "./adaptations.ts";
import { betaHeader, betaHeaders } from "./betas.ts";
import { anthropicNames } from "./contract-fields.ts";
import { anthropicErrors, anthropicHeaders } from "./errors.ts";
import { endEvents, startAnswer, toEvents } from "./events.ts";
import { maxTokensOf, toRequest } from "./request.ts";

const accepts: ReadonlySet<OptionalContent> = new Set([
  "search_results",
  "server_tools",
  "citations",
  "file_ids",
  "citable",
  "provider_tools",
  "tool_options",
  "tool_references",
  "claude_signatures",
]);

/** Header `anthropic-version`. The next version, 2026-10-21, rejects temperature, top_p and top_k on every model. */
const apiVersion = "2023-06-01";

/**
 * Creates the adapter for Anthropic's Messages API. The adapter always streams: without streaming, the API
 * rejects a large `max_tokens` and returns tool arguments as objects instead of the model's own text.
 */
export function createAnthropicAdapter(settings: ProviderSettings): Adapter {
  const upstream = new Upstream(settings, anthropicHeaders);
  const { name, dialect, baseUrl, keys } = settings;
  const toBody = (request: ChatRequest, model: Model) => stringifyExact(toRequest(request, model, name));

  const operatorsBetas = Object.entries(settings.headers).find(([header]) => header.toLowerCase() === betaHeader)?.[1];

  const headers = { accept: "text/event-stream", "anthropic-version": apiVersion };

  return {
    name,
    dialect,
    baseUrl,
    keys,
    accepts,
    contractNames: anthropicNames,
    extraFields: new Set(["cache_control", "container", "context_management", "mcp_servers", "betas"]),
    maxChoices: 1,
    toolNames: { maxLength: 128, punctuation: "_-", beginsWithLetter: false },
    rejectedText: () => "blank",
    stopRule: () => claudeStops,
    callIds: () => claudeCallIds,
    schemas: () => claudeSchemas,
    stream: (request, model, context) =>
      exchange(upstream, context, (call) => ({
        path: "/v1/messages",
        headers: {
          ...headers,
          ...keyHeader("x-api-key", call, settings),
          ...betaHeaders(request, name, operatorsBetas ?? ""),
        },
        body: toBody(request, model),
        accepted: [started()],
        failure: (response) => responseFailure(response, call, anthropicErrors),
        read: (response) => ({
          decoder: eventDecoder(response, call),
          answer: startAnswer(call),
          toEvents,
          endEvents,
        }),
      })),
    countTokens: (request, model) => (context) =>
      requestWhole<z.infer<typeof tokenCount>, number>(upstream, context, async (call) => ({
        path: "/v1/messages/count_tokens",
        headers: {
          "anthropic-version": apiVersion,
          ...keyHeader("x-api-key", call, settings),
          ...betaHeaders(request, name, operatorsBetas ?? ""),
        },
        body: stringifyExact(countedFields(toRequest(request, model, name))),
        errors: anthropicErrors,
        schema: tokenCount,
        toOutput: ({ input_tokens }) => input_tokens,
      })),
    checkSupport,
    effectiveParameters: (request, model) => ({
      ...(request.parameters ?? create(GenerationParametersSchema)),
      maxOutputTokens: maxTokensOf(request, model, claudeRulesOf(model)),
    }),
    describe: (request, model) => toRequest(request, model, name),
    close: () => upstream.close(),
  };
}

const tokenCount = z.object({ input_tokens: z.int().min(0) });

/** Fields of the body that the method to count tokens knows: type MessageCountTokensParams of @anthropic-ai/sdk. */
const counted = [
  ...["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control"],
  ...["context_management", "mcp_servers"],
];

function countedFields(body: object): object {
  return Object.fromEntries(Object.entries(body).filter(([field]) => counted.includes(field)));
}
