import type { z } from "zod";
import { section } from "../../../../config/rules.ts";
import { Upstream } from "../../../../upstream/http.ts";
import type { ProviderDefinition } from "../../../definition.ts";
import { commonHeaders } from "../../../kit/errors.ts";
import { openAiSchemas } from "../../../kit/schema-rules.ts";
import { apiOption, withResponses } from "../../../openai-responses/choose-api.ts";
import { createResponsesAdapter } from "../../../openai-responses/index.ts";
import type { ResponsesServer } from "../../../openai-responses/server.ts";
import { openAiEndpoint } from "../../endpoint.ts";
import { createOpenAiAdapter } from "../../index.ts";
import { openAiQuirks } from "../../openai-quirks.ts";
import { hostedServer } from "../../server.ts";
import { openAiAdaptations } from "./adaptations.ts";
import { openAiModels } from "./models.ts";

const optionsSchema = section({
  /** API that serves chat requests. `auto`: Chat Completions, and Responses for what only it can do. */
  api: apiOption.prefault("auto"),
});

type Options = z.output<typeof optionsSchema>;

const quirks = { ...openAiQuirks, title: "OpenAI", allowedTools: true, adaptations: openAiAdaptations } as const;

const baseUrl = "https://api.openai.com/v1";

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

export const provider: ProviderDefinition<Options> = {
  ...hostedServer({
    ...quirks,
    name: "openai",
    family: "openai-chat",
    baseUrl,
    models: openAiModels,
    modelsDevName: "openai",
  }),
  optionsSchema,
  create(settings) {
    const endpoint = openAiEndpoint(settings);
    const upstream = new Upstream(settings, commonHeaders);
    const chat = createOpenAiAdapter(settings, quirks, endpoint, upstream);
    const own = { ...server, isVendors: ownHost.test(settings.baseUrl) };
    const responses = createResponsesAdapter({ settings, endpoint, upstream }, own);
    return withResponses(chat, responses, settings.options.api, own);
  },
};
