import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../../gen/dragoman/v1/model_pb.js";
import { deepseek, fireworks, groq, type HostedRow, moonshot, openrouter, together, xai } from "./hosted-rows.ts";

/** What sets a server's models apart from the next server's. */
interface Server {
  readonly title: string;
  /** Unset where its documents do not say. */
  readonly maxTemperature?: number;
  readonly jsonSchema: boolean;
  readonly logprobs: boolean;
  /** Stands before every name there. */
  readonly prefix?: string;
  readonly rows: readonly HostedRow[];
}

const servers: Readonly<Record<string, Server>> = {
  groq: { title: "Groq", maxTemperature: 2, jsonSchema: true, logprobs: false, rows: groq },
  together: { title: "Together", jsonSchema: true, logprobs: true, rows: together },
  fireworks: {
    title: "Fireworks",
    maxTemperature: 2,
    jsonSchema: true,
    logprobs: true,
    prefix: "accounts/fireworks/models/",
    rows: fireworks,
  },
  openrouter: { title: "OpenRouter", maxTemperature: 2, jsonSchema: true, logprobs: true, rows: openrouter },
  xai: { title: "xAI", maxTemperature: 2, jsonSchema: true, logprobs: true, rows: xai },
  deepseek: { title: "DeepSeek", maxTemperature: 2, jsonSchema: false, logprobs: true, rows: deepseek },
  moonshot: { title: "Moonshot", maxTemperature: 1, jsonSchema: true, logprobs: false, rows: moonshot },
};

/** The models of servers that others run and that speak OpenAI's dialect, as `<provider>/<model>`. */
export const hostedModels: readonly Model[] = Object.entries(servers).flatMap(([provider, server]) =>
  server.rows.map((row) => toModel(provider, server, row)),
);

function toModel(provider: string, server: Server, row: HostedRow): Model {
  const providerModel = `${server.prefix ?? ""}${row.model}`;
  return create(ModelSchema, {
    id: `${provider}/${providerModel}`,
    provider,
    displayName: `${row.name} (${server.title})`,
    profile: "plain",
    contextWindowTokens: row.window,
    maxOutputTokens: row.output,
    providerModel,
    ...(server.maxTemperature !== undefined && { maxTemperature: server.maxTemperature }),
    capabilities: {
      systemMessages: true,
      tools: true,
      parallelToolCalls: true,
      jsonObject: true,
      jsonSchema: server.jsonSchema,
      imageInput: row.images ?? false,
      reasoning: row.reasoning ?? false,
      logprobs: server.logprobs,
      multipleChoices: true,
    },
  });
}
