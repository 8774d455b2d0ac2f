import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TokenService } from "../../../src/gen/dragoman/v1/token_service_pb.js";
import type { ReplayUpstream } from "../../support/replay-upstream.ts";
import { ask } from "../../support/requests.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import { startUpstream } from "../../surfaces/matrix/upstream.ts";
import { installed, isMissing } from "../tools.ts";
import { declareChatCases } from "./chat-cases.ts";
import { embeddingClients, pythonClients } from "./clients.ts";
import { declareEmbeddingCases, embeddingRows } from "./embedding-cases.ts";
import { factsEnvironment, reportedCounts, startFactsUpstream } from "./facts-upstream.ts";
import { type PythonProgram, startProgram } from "./program.ts";
import { usedProviders } from "./providers.ts";

/** A service, and the server that replays its providers. */
interface Pair {
  readonly service: TestService;
  readonly upstream: ReplayUpstream;
}

let chat: Pair;
/** For embeddings and token counts. */
let facts: Pair;
const waiting: (() => void)[] = [];
const nextCall = () => new Promise<void>((resolve) => waiting.push(resolve));
let program: PythonProgram;

async function startPairs(): Promise<void> {
  const replayed = await startUpstream();
  const environment = Object.assign({}, ...usedProviders.map((provider) => provider.environment(replayed.baseUrl)));
  chat = { upstream: replayed, service: await startTestService(environment) };
  const upstream = await startFactsUpstream();
  const begin = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const service = await startTestService(factsEnvironment(upstream.baseUrl), undefined, undefined, [], {
    observers: [{ begin }],
  });
  facts = { upstream, service };
}

async function stopPairs(): Promise<void> {
  for (const { service, upstream } of [chat, facts]) {
    await service.stop();
    await upstream[Symbol.asyncDispose]();
  }
}

/** Client of each program that lists the models. */
const modelListers = new Map([
  ["openai_sdk.py", "openai chat"],
  ["anthropic_sdk.py", "anthropic messages"],
]);
/** Client of each program that counts tokens. */
const counters = new Map([
  ["openai_sdk.py", "openai responses"],
  ["anthropic_sdk.py", "anthropic count_tokens"],
]);

describe.skipIf(isMissing("the environment of Python's clients", installed("python/bin/python")))("Python", () => {
  beforeAll(startPairs);
  afterAll(stopPairs);
  const clients = Map.groupBy(pythonClients, (client) => client.program);

  describe.each([...clients.keys()])("%s", (file) => {
    beforeAll(async () => {
      program = await startProgram(file);
    });
    afterAll(() => program[Symbol.asyncDispose]());

    describe.each(clients.get(file) ?? [])("$name", (client) => {
      describe.each(usedProviders)("with $name", (provider) => {
        declareChatCases(client, provider, () => ({ ...chat, program }));
      });
    });

    const embedding = embeddingClients.filter((client) => client.program === file);
    for (const client of embedding) {
      describe.each(embeddingRows)(`${client.name} with $provider`, (row) => {
        declareEmbeddingCases(client, row, () => ({ ...facts, program, nextCall }));
      });
    }

    const modelLister = modelListers.get(file);
    if (modelLister !== undefined) {
      it("lists the models", async () => {
        const { models, differences } = await program.play(factsCase("models", "echo/echo", modelLister));
        expect(models).toContain("echo/echo");
        expect(differences).toEqual([]);
      });
    }

    const counter = counters.get(file);
    if (counter !== undefined) {
      it.each([
        ["anthropic/claude-sonnet-4-6", reportedCounts.anthropic],
        ["gemini/gemini-3.8-flash", reportedCounts.gemini],
        ["openai/gpt-4o", "its own count"],
      ])("counts the tokens of a prompt of %s", async (model, reported) => {
        const { tokens, differences } = await program.play(factsCase("count", model, counter));
        const counted = await facts.service.client(TokenService, "grpc").countTokens({ chat: ask(model, factsPrompt) });
        expect({ tokens, differences }).toEqual({ tokens: [counted.inputTokens], differences: [] });
        if (typeof reported === "number") expect(tokens).toEqual([reported]);
        else expect(counted.inputTokens).toBeGreaterThan(3);
      });
    }

    if (file === "anthropic_sdk.py") {
      it("raises its own error for a count without messages", async () => {
        const result = await program.play(factsCase("invalid", "echo/echo", "anthropic count_tokens"));
        const error = { class: "BadRequestError", status_code: 400, type: "invalid_request_error" };
        expect(result).toMatchObject({ error, differences: [] });
      });
    }
  });
});

const factsPrompt = "one two three";

function factsCase(name: string, model: string, client: string) {
  return {
    id: `facts-${name}`,
    name,
    client,
    url: `http://${facts.service.httpAddress}`,
    model,
    prompt: "one two three",
  };
}
