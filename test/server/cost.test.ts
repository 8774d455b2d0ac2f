import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { MemoryLimitStore } from "../../src/accounts/limits/memory-store.ts";
import { CallInfoSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { GenerationParametersSchema } from "../../src/gen/dragoman/v1/parameters_pb.js";
import { CostSource, type Usage, UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { begins, failsInside, isStreamed, type Play, rejects, stalls } from "../support/chat-upstream.ts";
import { textChunk } from "../support/openai-wire.ts";
import { ask } from "../support/requests.ts";
import { forms, type Got, startRouted } from "./routing/harness.ts";

const openai = { a: "openai", b: "openai" } as const;
const priceOfA = `prices:
  a/m: { input: "1.00", output: "2.00" }`;
const prices = `${priceOfA}
  b/m: { input: "10.00", output: "20.00" }`;
const route = `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }], balance: order }]
    attempts: { max: 2, per_target: 1 }`;

/** Usage in the response to a gRPC call. */
function usageOf({ completion }: Got): Usage | undefined {
  return completion?.usage;
}

/** Sum of the costs of all attempts, each rounded by itself. */
function sumOf({ record }: { readonly record: Pick<Got["record"], "attempts"> }): bigint {
  return record.attempts.reduce((sum, { usage }) => sum + (usage?.cost?.totalNanos ?? 0n), 0n);
}

/** Answers as a whole or as a stream, with usage and further fields. */
const answersWith =
  (fields: object): Play =>
  (request) => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const envelope = { id: "chatcmpl-1", created: 1_790_000_000, usage, ...fields };
    const message = { role: "assistant", content: "yes" };
    if (!isStreamed(request)) {
      const whole = { ...envelope, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] };
      return { headers: { "content-type": "application/json" }, steps: [{ write: JSON.stringify(whole) }] };
    }
    const last = {
      ...envelope,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
    };
    return { steps: [{ write: textChunk("yes") }, { write: `data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n` }] };
  };

describe.each(forms)("a call, as %s", (form) => {
  it("costs its tokens, in the response, its attempt and the record", async () => {
    const { call } = await startRouted({ providers: ["a"], dialects: openai, yaml: priceOfA });
    const got = await call(form, { model: "a/m" });
    const cost = { totalNanos: 7000n, inputNanos: 3000n, outputNanos: 4000n, source: CostSource.CONFIGURATION };
    expect(got.record.usage).toMatchObject({ inputTokens: 3, outputTokens: 2, cost });
    expect(got.record.attempts[0]?.usage?.cost).toMatchObject(cost);
    expect([got.warnings, got.record.notes]).toEqual([[], []]);
    if (form === "gRPC unary") expect(usageOf(got)).toEqual(got.record.usage);
  });

  it("has the tokens of its response, and the cost of an attempt that failed before it too", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], dialects: openai, yaml: `${route}\n${prices}` });
    at.a.plays(failsInside);
    const got = await call(form, { model: "r" });
    const [lost, won] = got.record.attempts;
    if (form.endsWith("stream")) {
      // The provider began to answer, so that it may have counted tokens.
      expect(lost?.usage).toMatchObject({ quality: UsageQuality.PARTIAL, cost: { source: CostSource.CONFIGURATION } });
      expect(lost?.usage?.cost?.totalNanos).toBeGreaterThan(0n);
    }
    expect(won?.usage?.cost?.totalNanos).toBe(70_000n);
    expect(got.record.usage).toMatchObject({ inputTokens: 3, outputTokens: 2, cost: { totalNanos: sumOf(got) } });
  });

  it("takes the tokens of an attempt that failed before it from the limit of its account too", async () => {
    const limitStore = new MemoryLimitStore();
    const settle = vi.spyOn(limitStore, "settle");
    const limited = "accounts: { team: { limits: { tokens_per_minute: 1000 } } }";
    const yaml = `${route}\n${limited}`;
    const { call, at } = await startRouted({ providers: ["a", "b"], dialects: openai, yaml, limitStore });
    at.a.plays(failsInside);
    const { record } = await call(form, { model: "r", headers: { "x-selected-account-id": "team" } });
    const [lost, won] = record.attempts.map(({ usage }) => usage?.totalTokens ?? 0);
    expect(settle.mock.calls).toEqual([[record.id, [(lost ?? 0) + (won ?? 0)]]]);
    if (form.endsWith("stream")) expect(lost).toBeGreaterThan(0);
  });

  it("has a cost of what it used before it failed", async () => {
    const { call, at } = await startRouted({ providers: ["a"], dialects: openai, yaml: priceOfA });
    at.a.plays(begins("some words that came ", { cut: true }));
    const got = await call(form, { model: "a/m" });
    const { usage, attempts } = got.record;
    expect(got.reason).not.toBe("");
    for (const attempt of attempts) expect(attempt.usage?.cost?.totalNanos).toBeGreaterThan(0n);
    expect(usage).toMatchObject({ quality: UsageQuality.PARTIAL, cost: { totalNanos: sumOf(got) } });
  });

  it("costs nothing and has no usage if the provider rejects it", async () => {
    const { call, at } = await startRouted({ providers: ["a"], dialects: openai, yaml: priceOfA });
    at.a.plays(rejects(400));
    const { record } = await call(form, { model: "a/m" });
    expect([record.usage, record.attempts[0]?.usage, record.notes]).toEqual([undefined, undefined, []]);
  });

  it("has the warning PRICE_UNKNOWN once and no cost if no price of its model is known", async () => {
    const { call } = await startRouted({ providers: ["a"], dialects: openai });
    const got = await call(form, { model: "a/unknown" });
    expect(got.warnings).toEqual(["PRICE_UNKNOWN"]);
    expect(got.record).toMatchObject({ usage: { inputTokens: 3 }, notes: ["PRICE_UNKNOWN"] });
    expect(got.record.usage?.cost).toBeUndefined();
  });

  it("has no cost and no warning at a server of the operator's, unless the configuration has a price", async () => {
    const yaml = `prices: { b/m: { input: "0.10", output: "0" } }`;
    const { call } = await startRouted({ providers: ["a", "b"], yaml });
    const got = await call(form, { model: "a/m" });
    expect([got.warnings, got.record.notes]).toEqual([[], []]);
    expect(got.record.usage?.cost).toBeUndefined();
    expect((await call(form, { model: "b/m" })).record.usage?.cost?.totalNanos).toBe(300n);
  });
});

describe("a hedged call", () => {
  it("has the cost of the attempt that lost", async () => {
    const hedged = `${route}\n    hedge: { after: 20ms, budget: 1 }\n${prices}`;
    const { call, at } = await startRouted({ providers: ["a", "b"], dialects: openai, yaml: hedged });
    at.a.plays(stalls);
    const got = await call("gRPC unary", { model: "r" });
    expect(got.recorded).toEqual(["a/m abandoned:CANCELLED", "b/m"]);
    const [lost] = got.record.attempts;
    expect(lost?.usage?.cost?.totalNanos).toBeGreaterThan(0n);
    expect(usageOf(got)).toMatchObject({ inputTokens: 3, quality: UsageQuality.EXACT });
    expect(usageOf(got)?.cost?.totalNanos).toBe(sumOf(got));
    expect(got.completion?.attempts[0]?.usage).toEqual(lost?.usage);
  });
});

describe("a call of several choices, with one request per choice", () => {
  it("costs all requests", async () => {
    const yaml = `prices: { a/m: { input: "0.0001", output: "0" } }`;
    const { call } = await startRouted({ providers: ["a"], dialects: { a: "groq" }, yaml });
    const parameters = create(GenerationParametersSchema, { n: 3 });
    const got = await call("gRPC unary", { model: "a/m", parameters });
    expect(got.record.attempts.map(({ usage }) => usage?.cost?.totalNanos)).toEqual([0n, 0n, 0n]);
    // 3 times 300 picodollars, rounded once.
    expect(usageOf(got)).toMatchObject({ inputTokens: 9, cost: { totalNanos: 1n } });
  });
});

describe("the service tier that the provider states", () => {
  const gpt4o = (serviceTier: string) => answersWith({ service_tier: serviceTier });

  it.each([
    ["default", 27_500n],
    ["priority", 46_750n],
  ])("%s has its own price", async (tier, totalNanos) => {
    const { call, at } = await startRouted({ providers: ["a"], dialects: openai });
    at.a.plays(gpt4o(tier));
    const got = await call("gRPC unary", { model: "a/gpt-4o" });
    expect(usageOf(got)?.cost).toMatchObject({ totalNanos, source: CostSource.PRICE_TABLE });
    expect(got.record.attempts[0]?.serviceTier).toBe(tier);
  });

  it.each(["gRPC unary", "gRPC stream"] as const)("has a warning if its price is unknown, as %s", async (form) => {
    const { call, at } = await startRouted({ providers: ["a"], dialects: openai });
    at.a.plays(gpt4o("scale"));
    const got = await call(form, { model: "a/gpt-4o" });
    expect(got.warnings).toEqual(["PRICE_UNKNOWN"]);
    expect(got.record.usage?.cost).toBeUndefined();
    expect(got.record.notes).toEqual(["PRICE_UNKNOWN"]);
  });
});

it("the cost that the provider states wins over a price, and needs none", async () => {
  const yaml = `prices: { a/priced: { input: "1.00", output: "2.00" } }`;
  const { call, at } = await startRouted({ providers: ["a"], dialects: { a: "deepinfra" }, yaml });
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, estimated_cost: 0.00000042 };
  at.a.plays(answersWith({ usage }));
  for (const model of ["a/priced", "a/unpriced"]) {
    const got = await call("gRPC unary", { model });
    expect(usageOf(got)?.cost).toMatchObject({ totalNanos: 420n, inputNanos: 0n, source: CostSource.PROVIDER });
    expect(got.warnings).toEqual([]);
  }
  at.a.plays(answersWith({}));
  expect((await call("gRPC unary", { model: "a/unpriced" })).warnings).toEqual(["PRICE_UNKNOWN"]);
});

it("models that run inside Dragoman cost 0, which is known", async () => {
  const { call } = await startRouted({ providers: [] });
  const got = await call("gRPC unary", { model: "echo/echo" });
  expect(usageOf(got)?.cost).toMatchObject({ totalNanos: 0n, source: CostSource.PRICE_TABLE, priceVersion: "free" });
  expect(got.warnings).toEqual([]);
});

it("PlanChat has the warning of the call", async () => {
  const { service } = await startRouted({ providers: ["a"], dialects: openai });
  const { warnings } = await service.chatClient("grpc").planChat({ chat: ask("a/unknown", "hi") });
  expect(warnings).toMatchObject([{ reason: "PRICE_UNKNOWN", field: "" }]);
});

it("a failed call tells its caller what it cost", async () => {
  const { service, at } = await startRouted({ providers: ["a"], dialects: openai, yaml: priceOfA });
  at.a.plays(begins("some words ", { cut: true }));
  const call = service.chatClient("grpc").completeChat({ chat: ask("a/m", "hi") });
  const thrown = await call.then(() => expect.fail("the call must fail"), ConnectError.from);
  const [info] = thrown.findDetails(CallInfoSchema);
  expect(info?.usage?.cost?.totalNanos).toBeGreaterThan(0n);
  expect(info?.usage?.cost?.totalNanos).toBe(info && sumOf({ record: info }));
});
