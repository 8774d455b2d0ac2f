import type { ProviderSettings } from "../../../../config/provider.ts";
import { Upstream } from "../../../../upstream/http.ts";
import type { Adapter } from "../../../adapter.ts";
import { commonHeaders } from "../../../kit/errors.ts";
import { openAiSchemas } from "../../../kit/schema-rules.ts";
import { withResponses } from "../../../openai-responses/choose-api.ts";
import { createResponsesAdapter } from "../../../openai-responses/index.ts";
import type { ResponsesServer } from "../../../openai-responses/server.ts";
import { openAiEndpoint } from "../../endpoint.ts";
import { createOpenAiAdapter as createChatAdapter } from "../../index.ts";
import { type Options, quirks } from "./options.ts";

/** OpenAI's own host, or that of a region such as `eu.api.openai.com`. */
const ownHost = /^https:\/\/(?:[a-z]{2}\.)?api\.openai\.com(?=[:/]|$)/;

const server: Omit<ResponsesServer, "isVendors"> = {
  title: quirks.title,
  developerRole: quirks.developerRole,
  openAiModel: quirks.openAiModel,
  schemas: openAiSchemas,
  reasons: {},
  without: new Set(),
};

/** Creates the adapter for OpenAI's two APIs. */
export function createOpenAiAdapter(settings: ProviderSettings<Options>): Adapter {
  const endpoint = openAiEndpoint(settings);
  const upstream = new Upstream(settings, commonHeaders);
  const chat = createChatAdapter(settings, quirks, endpoint, upstream);
  const own = { ...server, isVendors: ownHost.test(settings.baseUrl) };
  const responses = createResponsesAdapter({ settings, endpoint, upstream }, own);
  return withResponses(chat, responses, settings.options.api, own);
}
