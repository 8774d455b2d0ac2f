import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isApplicable } from "../../contract/dialect.ts";
import { bodyOf, cases } from "../../contract/embeddings/cases.ts";
import {
  type RecordedRequest,
  type ReplayUpstream,
  type Script,
  startReplayUpstream,
} from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import {
  type EmbeddingAsk,
  type EmbeddingClient,
  embeddingClients,
  type FailedEmbedding,
} from "./embedding-clients.ts";
import { recorded } from "./lab.ts";
import { embeddingModels } from "./providers.ts";
import { AnswerLog } from "./published.ts";

const rows = embeddingModels.flatMap((model) => cases.filter((one) => one.model === model));
const providers = [{ provider: "echo", model: "echo/embed" }, ...rows];

/** More inputs than one request to some providers may have. */
const inputs = Array.from({ length: 100 }, (_, index) => `text ${index}`);
const limited = "Exceed the rate limit.";
const stalled = "Stall.";

/** Vector of a text, whose numbers every form of vectors has. */
const vectorOf = (text: string): readonly number[] => [Number(/\d+/.exec(text)?.[0] ?? 0), text.length];

/** Answers as the provider of the first part of a path. */
function reply(request: RecordedRequest): Script {
  const row = rows.find(({ provider }) => request.path.startsWith(`/${provider}/`));
  if (row === undefined) return { status: 404 };
  const texts = row.textsOf(bodyOf(request));
  if (texts.includes(stalled)) return { holdHeaders: new Promise<never>(() => {}) };
  const headers = { "content-type": "application/json" };
  if (texts.includes(limited)) return { status: 429, headers, steps: [{ write: '{"message":"slow down"}' }] };
  const answer = row.answer(texts.map(vectorOf), 2 * texts.length);
  return { headers: { ...headers, ...row.headers?.(2 * texts.length) }, steps: [{ write: JSON.stringify(answer) }] };
}

/** Number of models whose rate was limited. Each has its own name, because Dragoman avoids it for a while. */
let others = 0;
let service: TestService;
let upstream: ReplayUpstream;
const log = new AnswerLog();
beforeAll(async () => {
  upstream = await startReplayUpstream(reply);
  const environments = rows.map((row) => row.environment(`${upstream.baseUrl}/${row.provider}`));
  service = await startTestService(Object.assign({}, ...environments));
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

function embed(client: EmbeddingClient, ask: EmbeddingAsk) {
  service.forgetRecords();
  const lab = {
    url: `http://${service.httpAddress}`,
    fetch: async (...call: Parameters<typeof fetch>) => recorded(await fetch(...call), "embeddings", log),
  };
  return client.embed(lab, ask);
}

describe.each(providers)("embeddings of $model", ({ provider, model }) => {
  describe.each(embeddingClients)("by $name", (client) => {
    it("are the vectors of the inputs in their order, with usage", async () => {
      const { vectors, inputTokens } = await embed(client, { model, inputs });
      expect(vectors).toHaveLength(inputs.length);
      if (provider !== "echo") expect(vectors).toEqual(inputs.map(vectorOf));
      const { outcome, usage } = await service.nextRecord();
      expect([outcome, usage?.inputTokens]).toEqual(["ok", inputTokens ?? usage?.inputTokens]);
    });

    const { aborted } = client;
    if (provider !== "echo" && typeof aborted === "string") {
      it("are cancelled at the provider", async () => {
        const asked = upstream.nextRequest();
        const gone = new AbortController();
        const call = embed(client, { model, inputs: [stalled], signal: gone.signal });
        const ended = call.catch((error: Error) => error.constructor.name);
        const request = await asked;
        gone.abort();
        await request.aborted;
        expect(await ended).toBe(aborted);
        expect(await service.nextRecord()).toMatchObject({ outcome: "cancelled" });
      });
    }
  });

  it.each(embeddingClients)("are rejected with the own errors of $name", async (client) => {
    const failed: [FailedEmbedding, EmbeddingAsk][] = [
      ["unknown model", { model: `${provider}-x/none`, inputs }],
      ["invalid dimensions", { model, inputs, dimensions: -1 }],
    ];
    if (provider !== "echo") failed.push(["limited", { model: `${model}-${++others}`, inputs: [limited] }]);
    for (const [name, ask] of failed) {
      const expected = client.errors[name];
      if (!isApplicable(expected)) continue;
      const error = await embed(client, ask).then(() => expect.fail("the call did not fail"), client.thrown);
      expect(error, name).toEqual(expected);
    }
  });
});

describe("the embeddings of echo/embed", () => {
  it("are the same as base64 and as numbers", async () => {
    const [base64, float] = await Promise.all(
      embeddingClients.slice(0, 2).map((client) => embed(client, { model: "echo/embed", inputs })),
    );
    expect(float?.vectors.map((vector) => vector.map(Math.fround))).toEqual(base64?.vectors);
  });
});

it("gets only values of OpenAI's published types for embeddings", async () => {
  expect(log.count).toBeGreaterThan(50);
  expect(await log.problems()).toEqual([]);
});
