import { afterEach, describe, expect, it } from "vitest";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { EmbeddingService, EmbeddingTask } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { dialects } from "../../../src/providers/registry.ts";
import { embedRequest, failureOf } from "../../support/embedding.ts";
import {
  type RecordedRequest,
  type ReplayUpstream,
  type Script,
  startReplayUpstream,
} from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import { bodyOf, cases, type EmbeddingCase, inProcess, withoutWire } from "./cases.ts";

const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.stop();
});

const json = { "content-type": "application/json" };
/** Vector of a text, from which the text can be known: whole numbers, which every form of vectors has. */
const vectorOf = (text: string): readonly number[] => [Number(/\d+/.exec(text)?.[0] ?? 0) % 100, text.length];
const written = (body: unknown, more: Omit<Script, "steps"> = {}): Script => ({
  ...more,
  headers: { ...json, ...more.headers },
  steps: [{ write: typeof body === "string" ? body : JSON.stringify(body) }],
});

/** Starts a service with one provider, whose server answers with the vectors of the texts. */
async function start(
  one: EmbeddingCase,
  play: (request: RecordedRequest, usual: Script) => Script = (_, usual) => usual,
): Promise<{ readonly service: TestService; readonly upstream: ReplayUpstream; readonly embed: Embed }> {
  const upstream = await startReplayUpstream((request) => {
    const list = one.textsOf(bodyOf(request));
    const tokens = 2 * list.length;
    const answer = one.answer(list.map(vectorOf), tokens);
    return play(request, written(answer, { headers: one.headers?.(tokens) ?? {} }));
  });
  const yaml = one.yaml?.replace("BASE", upstream.baseUrl);
  const service = await startTestService(one.environment(upstream.baseUrl), undefined, yaml);
  opened.push({ stop: () => service.stop() }, { stop: async () => upstream[Symbol.asyncDispose]() });
  const client = service.client(EmbeddingService, "grpc");
  return { service, upstream, embed: (texts, more) => client.embed(embedRequest(one.model, texts, more)) };
}

type Embed = (
  texts: Parameters<typeof embedRequest>[1],
  more?: Parameters<typeof embedRequest>[2],
) => ReturnType<ReturnType<typeof clientOf>["embed"]>;
const clientOf = (service: TestService) => service.client(EmbeddingService, "grpc");

it("has cases for each provider that embeds, and names those that do not", () => {
  const named = new Set([...cases.map(({ provider }) => provider), ...withoutWire, ...inProcess]);
  expect([...named].sort()).toEqual(dialects.map(({ name }) => name).sort());
});

describe.each(cases)("embeddings of $provider $name", (one) => {
  it("sends texts and task, and returns the vectors in the order of the inputs, with usage", async () => {
    const { service, upstream, embed } = await start(one);
    const texts = ["text 1", "another 22"].slice(0, one.maxInputs);
    const response = await embed(texts, { task: EmbeddingTask.QUERY });
    expect(upstream.requests).toHaveLength(1);
    const [request] = upstream.requests as [RecordedRequest];
    expect(request.path).toBe(one.path);
    expect(bodyOf(request)).toEqual(one.body(texts));
    expect(response.embeddings.map(({ values }) => values)).toEqual(texts.map(vectorOf));
    const { inputTokens, quality } = response.usage ?? {};
    if (one.noUsage) expect(quality).toBe(UsageQuality.ESTIMATED);
    else expect([inputTokens, quality]).toEqual([2 * texts.length, UsageQuality.EXACT]);
    const dropped = response.warnings.filter(({ field }) => field === "task").map(({ reason }) => reason);
    expect(dropped).toEqual(one.dropsTask ? ["UNSUPPORTED_PARAMETER"] : []);
    const record = await service.nextRecord();
    expect(record).toMatchObject({ outcome: "ok", usage: { inputTokens } });
    expect(record.attempts[0]?.httpStatus).toBe(200);
  });

  it("splits more inputs than one request may have, and keeps their order", async () => {
    const { upstream, embed } = await start(one);
    const texts = Array.from({ length: 2 * one.maxInputs + 3 }, (_, index) => `t${index}`);
    const { embeddings, attempts } = await embed(texts);
    expect(embeddings.map(({ values }) => values)).toEqual(texts.map(vectorOf));
    expect(attempts).toHaveLength(upstream.requests.length);
    const sizes = upstream.requests.map((request) => one.textsOf(bodyOf(request)).length);
    const { maxInputs } = one;
    expect(sizes.sort((a, b) => a - b)).toEqual(maxInputs === 1 ? [1, 1, 1, 1, 1] : [3, maxInputs, maxInputs]);
  });

  it("sends the requested length of vectors, or rejects it", async () => {
    const { upstream, embed } = await start(one);
    if (one.dimensions === undefined && !/gemini|vertex|nova/.test(`${one.provider} ${one.name}`)) {
      expect(await failureOf(embed(["text 1"], { dimensions: 2 }))).toEqual([
        "UNSUPPORTED_PARAMETER",
        expect.stringContaining("omit"),
      ]);
      expect(upstream.requests).toEqual([]);
      return;
    }
    const { embeddings } = await embed(["text 1"], { dimensions: 2 });
    expect(embeddings[0]?.values).toHaveLength(2);
    const body: unknown = bodyOf(upstream.requests[0] as RecordedRequest);
    expect(JSON.stringify(body)).toMatch(/dimension\w*":2/i);
    if (one.dimensions) expect(body).toMatchObject(one.dimensions);
  });

  it("fails with PROVIDER_FAULT for wrong vectors", async () => {
    const answers: readonly (readonly (readonly number[])[])[] = [
      one.maxInputs === 1 ? [[]] : [[1, 2]],
      one.maxInputs === 1 ? [[]] : [[1, 2], [1]],
    ];
    for (const vectors of answers) {
      const { embed } = await start(one, () => written(one.answer(vectors, 1)));
      const texts = ["text 1", "text 2"].slice(0, one.maxInputs);
      expect((await failureOf(embed(texts)))[0]).toBe("PROVIDER_FAULT");
    }
  });

  it("fails with PROVIDER_FAULT for a body that is no response of the API", async () => {
    for (const body of ["{}", "[", "null", '{"data": 1, "embeddings": 2, "embedding": 3, "predictions": 4}']) {
      const { embed } = await start(one, () => written(body));
      expect((await failureOf(embed(["text 1"])))[0]).toBe("PROVIDER_FAULT");
    }
  });

  it("reports a rate limit of the provider", async () => {
    const { embed, service } = await start(one, () => written("{}", { status: 429 }));
    expect((await failureOf(embed(["text 1"])))[0]).toBe("PROVIDER_RATE_LIMITED");
    expect((await service.nextRecord()).attempts[0]?.outcome).toBe(AttemptOutcome.FAILED);
  });
});
