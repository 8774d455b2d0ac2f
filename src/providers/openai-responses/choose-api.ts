import { isForeign } from "../../chat/planning/drop-foreign-state.ts";
import { hasFunctions } from "../../chat/planning/function-tools.ts";
import { hasPart } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import type { Adapter } from "../adapter.ts";
import type { ModelRules } from "../chat-completions/adaptations.ts";
import { effortOf } from "../chat-completions/fields.ts";
import { isResponsesOnly } from "../chat-completions/responses-only.ts";
import { stateObject } from "../kit/provider-state.ts";
import { onlyResponses } from "./contract-fields.ts";
import { rulesOf } from "./fields.ts";
import type { ResponsesServer } from "./server.ts";

type Api = "auto" | "chat_completions" | "responses";

/**
 * Combines the adapters of OpenAI's two APIs. With `auto`, Chat Completions serves every request that it can serve as
 * well: it has parameters that the Responses API lacks.
 */
export function withResponses(chat: Adapter, responses: Adapter, api: Api, server: ResponsesServer): Adapter {
  switch (api) {
    case "chat_completions":
      return chat;
    case "responses":
      return { ...responses, ...(chat.embeddings && { embeddings: chat.embeddings }) };
    case "auto":
      return {
        ...chat,
        apiFor: (request, model, tools) =>
          needsResponses(request, model, tools, { chat, server }) ? responses : undefined,
      };
    default:
      return api satisfies never;
  }
}

interface Apis {
  readonly chat: Pick<Adapter, "name" | "dialect">;
  readonly server: ResponsesServer;
}

/** Whether only the Responses API can do what a request says. */
function needsResponses(
  request: ChatRequest,
  model: Model,
  tools: readonly Tool[],
  { chat: { name, dialect }, server }: Apis,
): boolean {
  const vendorsName = server.openAiModel(model.providerModel);
  if (vendorsName !== undefined && isResponsesOnly(vendorsName)) return true;
  const isOwn = ({ kind }: Tool) =>
    kind.case === "providerTool" && (kind.value.provider === name || kind.value.provider === dialect);
  if (tools.some(isOwn)) return true;
  if (Object.keys(request.providerOptions[name] ?? {}).some((option) => onlyResponses.has(option))) return true;
  const rules = rulesOf(model, server);
  if (rules?.toolsAt === "never" && hasFunctions(request)) return true;
  if (hasItems(request, { model, dialect })) return true;
  // A server that may lack the API gets what Chat Completions can do, with a warning.
  if (!rules || !server.isVendors) return false;
  return request.reasoning?.format === ReasoningFormat.PARSED || reasonsWithTools(request, rules);
}

/** Whether a model reasons and calls functions, and Chat Completions lets it call them only without reasoning. */
function reasonsWithTools(request: ChatRequest, rules: NonNullable<ModelRules>): boolean {
  if (!hasFunctions(request)) return false;
  const effort = effortOf(request);
  switch (rules.toolsAt) {
    case "any":
    case "never":
      return false;
    case "none":
      return effort !== ReasoningEffort.NONE;
    case "none by default":
      return effort !== undefined && effort !== ReasoningEffort.NONE;
    default:
      return rules.toolsAt satisfies never;
  }
}

/** Whether a conversation has items of the Responses API, which the next request has to send back. */
function hasItems({ messages }: ChatRequest, target: Parameters<typeof isForeign>[1]): boolean {
  return hasPart(messages, ({ providerState }) => {
    if (providerState === undefined || isForeign(providerState, target)) return false;
    const { type, phase } = stateObject(providerState) ?? {};
    return typeof type === "string" || typeof phase === "string";
  });
}
