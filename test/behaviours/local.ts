import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { createAdapters } from "../../src/adapters.ts";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { GenerationParametersSchema } from "../../src/gen/dragoman/v1/parameters_pb.js";
import { Rejections } from "../../src/load/rejections.ts";
import { detectLocal, knownModels, preparedModels } from "../../src/providers/local/home.ts";
import { provider as localProvider } from "../../src/providers/local/index.ts";
import { listedModels } from "../../src/providers/registry.ts";
import { startService } from "../../src/server/service.ts";
import { ask } from "../support/requests.ts";

/** Why this machine cannot run a real model; undefined if it can. */
export const missingLocal = detectLocal(process.env);

/** Sends a question to a real model over gRPC and returns the text of the response. */
type AskLocal = (question: string, parameters: MessageInitShape<typeof GenerationParametersSchema>) => Promise<string>;

/** Starts a service with this machine's local model, until the test ends. */
export async function startLocal(): Promise<AskLocal> {
  const prepared = preparedModels(process.env);
  // Prefers the smaller model, since it is faster.
  const model = prepared.find(({ name }) => name === knownModels[1].name) ?? prepared[0];
  const models = listedModels(process.env).filter(({ provider }) => provider === "local");
  const config = loadConfig({
    environment: {
      ...localVariables(process.env),
      DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
      DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0",
    },
    providers: [localProvider],
    models,
  });
  const service = await startService({
    config,
    adapters: createAdapters(config),
    models,
    rejections: new Rejections(() => {}),
    observers: [],
  });
  onTestFinished(() => service.stop());
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  return async (question, parameters) => {
    const { completion } = await client.completeChat({ chat: ask(`local/${model?.name}`, question, { parameters }) });
    return textOf(completion);
  };
}

function localVariables({ DRAGOMAN_LOCAL_HOME, DRAGOMAN_LOCAL_MODEL }: Environment): Environment {
  return { DRAGOMAN_LOCAL_HOME, DRAGOMAN_LOCAL_MODEL };
}

function textOf(completion: ChatCompletion | undefined): string {
  const parts = completion?.choices[0]?.message?.parts ?? [];
  return parts.map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
}
