import { parseArgs } from "node:util";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { composeService } from "../src/compose.ts";
import { loadConfig } from "../src/config/load.ts";
import { ChatService } from "../src/gen/dragoman/v1/chat_service_pb.js";
import { Role } from "../src/gen/dragoman/v1/message_pb.js";
import { detectLocal, knownModels, preparedModels } from "../src/providers/local/home.ts";
import { prepareLocal } from "../src/providers/local/prepare/prepare.ts";
import { listedModels, providers } from "../src/providers/registry.ts";
import type { Service } from "../src/server/service.ts";
import { createLog } from "../src/telemetry/log.ts";

const usage = 'usage: npm run demo -- "a question" [--model local/default] [--max-tokens 200]';

interface Question {
  readonly text: string;
  readonly model: string;
  readonly maxOutputTokens: number;
}

try {
  const question = readArguments();
  await prepare(question.model);
  const service = await start();
  try {
    await ask(createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` })), question);
  } finally {
    await service.stop();
  }
} catch (error) {
  console.error(`demo: ${describe(error)}`);
  process.exitCode = 1;
}

function readArguments(): Question {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: "string", default: "local/default" },
      "max-tokens": { type: "string", default: "200" },
    },
  });
  const text = positionals.join(" ");
  const maxOutputTokens = Number(values["max-tokens"]);
  if (text === "" || !Number.isInteger(maxOutputTokens) || maxOutputTokens < 1) throw new Error(usage);
  return { text, model: values.model, maxOutputTokens };
}

/** Downloads the engine and the model of the `local` provider if they are missing. */
async function prepare(model: string): Promise<void> {
  if (!model.startsWith("local/")) return;
  const name = model.slice("local/".length);
  const known = knownModels.find((candidate) => candidate.name === name);
  const prepared = preparedModels(process.env);
  const missing = known === undefined ? prepared.length === 0 : !prepared.some((file) => file.name === name);
  if (missing || detectLocal(process.env) !== undefined) {
    await prepareLocal(known?.name, { environment: process.env, output: process.stdout });
  }
}

/** Starts the service on free loopback ports, without logs and without a configuration file. */
async function start(): Promise<Service> {
  const environment = {
    ...process.env,
    DRAGOMAN_CONFIG: "",
    DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
    DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0",
    DRAGOMAN_AUTHENTICATION: "loopback",
    DRAGOMAN_LOG_LEVEL: "silent",
  };
  const config = loadConfig({ environment, providers, models: listedModels(environment) });
  return composeService(config, createLog(config.log.level, process.stdout));
}

async function ask(client: Client<typeof ChatService>, { text, model, maxOutputTokens }: Question): Promise<void> {
  const begin = performance.now();
  let first: number | undefined;
  const messages = [{ role: Role.USER, parts: [{ kind: { case: "text", value: text } as const }] }];
  const stream = client.streamChat({ chat: { model, messages, parameters: { temperature: 0, maxOutputTokens } } });
  for await (const { event } of stream) {
    if (event.case === "started") {
      console.log(`${event.value.model}:`);
    } else if (event.case === "delta" && event.value.delta.case === "text") {
      first ??= performance.now();
      process.stdout.write(event.value.delta.value);
    } else if (event.case === "completed") {
      const { inputTokens = 0, outputTokens = 0 } = event.value.usage ?? {};
      const end = performance.now();
      const start = first ?? end;
      const rate = end > start && outputTokens > 1 ? ((outputTokens - 1) * 1000) / (end - start) : undefined;
      console.log(
        `\n\n${inputTokens} input tokens, ${outputTokens} output tokens; first after ${Math.round(start - begin)} ms` +
          `${model.startsWith("local/") ? " (including loading the model)" : ""}` +
          `${rate === undefined ? "" : `, then ${rate.toFixed(1)} tokens/s`}`,
      );
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof ConnectError) return `${Code[error.code]}: ${error.rawMessage}`;
  return error instanceof Error ? error.message : String(error);
}
