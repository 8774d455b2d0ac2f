import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { ToolSchema } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import {
  answers,
  begins,
  type Play,
  rejects,
  stalls,
  stallsAfterHeaders,
  stallsAfterStarted,
} from "../../support/chat-upstream.ts";
import { streamEnd, textChunk } from "../../support/openai-wire.ts";
import { forms, startRouted, until } from "./harness.ts";

const route = (hedge: string, more = "") => `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }], balance: order }]
    attempts: { max: 2, per_target: 1 }
    hedge: ${hedge}
    ${more}`;
const always = "{ after: 60ms, budget: 1 }";

describe.each(forms)("a hedge, as %s", (form) => {
  it.each([
    ["before its headers", stalls],
    ["after its headers", stallsAfterHeaders],
    ["after the event that begins a stream", stallsAfterStarted],
  ])("answers if the first attempt is slow %s, whose connection closes at the first output", async (_, play) => {
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml: route(always) });
    at.a.plays(play);
    // The winner ends only after the loser's connection has closed.
    const closed = at.a.received(1).then(({ aborted }) => aborted);
    at.b.plays(() => ({ steps: [{ write: textChunk("b") }, { hold: closed }, { write: streamEnd }] }));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "" });
    expect(got.recorded).toEqual(["a/m abandoned:CANCELLED", "b/m"]);
    const [lost, won] = got.record.attempts;
    expect(lost).toMatchObject({ outcome: AttemptOutcome.ABANDONED, usage: { quality: UsageQuality.PARTIAL } });
    expect(lost?.usage?.inputTokens).toBeGreaterThan(0);
    expect(won).toMatchObject({
      outcome: AttemptOutcome.ANSWERED,
      usage: { totalTokens: 5, quality: UsageQuality.EXACT },
    });
    // To be slower than another target is no failure.
    await until(() => service.routing.targets("r").every(({ inFlight }) => inFlight === 0));
    for (const target of service.routing.targets("r")) expect(target).toMatchObject({ failureRatio: 0 });
  });

  it("loses if the first attempt has output first", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(always) });
    const asked = at.b.received(1);
    at.a.plays((request) => ({ ...answers("a")(request), holdHeaders: asked }));
    at.b.plays(stalls);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "a", reason: "", recorded: ["a/m", "b/m abandoned:CANCELLED"] });
    expect(got.warnings).not.toContain("FELL_BACK");
    await (await asked).aborted;
  });

  it("is not started if the first attempt is in time", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route("{ after: 5s, budget: 1 }") });
    expect(await call(form, { model: "r" })).toMatchObject({ text: "a", recorded: ["a/m"] });
    expect(at.b.requests).toHaveLength(0);
  });

  it("goes on if the first attempt fails meanwhile", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(always) });
    const asked = at.b.received(1);
    const failed = Promise.withResolvers<void>();
    at.a.plays((request) => ({ ...rejects(503)(request), holdHeaders: asked }));
    at.b.plays((request) => ({ ...answers("b")(request), holdHeaders: failed.promise }));
    const ended = call(form, { model: "r" });
    await asked;
    failed.resolve();
    expect(await ended).toMatchObject({ text: "b", reason: "" });
  });

  it("fails together with the first attempt, and the call has both", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(always) });
    const asked = at.b.received(1);
    at.a.plays((request) => ({ ...rejects(503)(request), holdHeaders: asked }));
    at.b.plays(rejects(502));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ reason: "PROVIDER_UNAVAILABLE" });
    expect(got.recorded).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m PROVIDER_UNAVAILABLE"]);
  });

  it("ends with the caller's cancel, as the first attempt does", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(always) });
    for (const upstream of [at.a, at.b]) upstream.plays(stalls);
    const controller = new AbortController();
    const ended = call(form, { model: "r", signal: controller.signal });
    const requests = await Promise.all([at.a.received(1), at.b.received(1)]);
    controller.abort();
    const { record, recorded } = await ended;
    await Promise.all(requests.map(({ aborted }) => aborted));
    expect(record).toMatchObject({ outcome: "cancelled" });
    expect(recorded).toEqual(["a/m abandoned:CANCELLED", "b/m abandoned:CANCELLED"]);
  });
});

describe.each(forms)("a route with hedges and a third target, as %s", (form) => {
  const three = `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }], balance: order }, { targets: [{ model: c/m }] }]
    attempts: { max: 3, per_target: 1 }
    hedge: ${always}
`;

  it("goes on to the third if the first attempt and its hedge fail", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: three });
    const asked = at.b.received(1);
    at.a.plays((request) => ({ ...rejects(503)(request), holdHeaders: asked }));
    at.b.plays(rejects(503));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "c", reason: "", warnings: ["FELL_BACK"] });
    expect([...got.recorded].sort()).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m PROVIDER_UNAVAILABLE", "c/m"]);
  });

  it("can hedge in the next tier", async () => {
    const yaml = three.replace("{ model: a/m }, ", "");
    const { call, at } = await startRouted({ providers: ["b", "c", "a"], yaml });
    at.b.plays(stallsAfterHeaders);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "c", reason: "", recorded: ["b/m abandoned:CANCELLED", "c/m"] });
    expect(got.fellBack).toEqual(["b/m was slower; c/m responds instead"]);
  });

  it("ends a hedge's response that breaks as that of any attempt", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: three });
    at.a.plays(stalls);
    at.b.plays(begins("half ", { cut: true }));
    const got = await call(form, { model: "r" });
    const [first, second] = got.recorded;
    expect(first).toBe("a/m abandoned:CANCELLED");
    expect(second).toMatch(/^b\/m PROVIDER_/);
    // A unary call has handed nothing on.
    if (form.endsWith("unary")) expect(got).toMatchObject({ text: "c", reason: "" });
    else expect(got).toMatchObject({ text: "half ", reason: "PROVIDER_STREAM_INTERRUPTED" });
  });
});

describe("a target that always loses", () => {
  it("is known as slow, so that few calls of the balance latency begin there", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a", "b"],
      yaml: `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }], balance: latency }]
    attempts: { max: 2, per_target: 1 }
    affinity: off
    hedge: { after: 300ms, budget: 1 }
`,
    });
    at.a.plays(stalls);
    while (at.a.requests.length === 0) await call("gRPC unary", { model: "r" });
    const [slow, fast] = service.routing.targets("r");
    expect(slow?.firstOutputMs).toBeGreaterThanOrEqual(300);
    expect(slow?.firstOutputMs).toBeGreaterThan(fast?.firstOutputMs ?? 0);
    for (let index = 0; index < 10; index++) await call("gRPC unary", { model: "r" });
    expect(at.a.requests).toHaveLength(1);
  });
});

describe("a hedge", () => {
  const late: Play = (request) => ({
    ...answers("a")(request),
    holdHeaders: new Promise((resolve) => setTimeout(resolve, 150)),
  });

  it("keeps to its budget", async () => {
    const yaml = route("{ after: 5ms, budget: 0.25 }");
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml });
    at.a.plays(late);
    for (let index = 0; index < 12; index++) await call("gRPC unary", { model: "r" });
    expect(at.b.requests).toHaveLength(3);
    expect(service.records.filter(({ attempts }) => attempts.length === 2)).toHaveLength(3);
  });

  it("waits for p95 only when it is known", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route("{ after: p95, budget: 1 }") });
    const first = Promise.withResolvers<void>();
    at.a.plays((request) => ({ ...answers("a")(request), holdHeaders: first.promise }), answers("a"));
    const begun = call("gRPC unary", { model: "r" });
    await at.a.received(1);
    for (let index = 0; index < 55; index++) await call("gRPC unary", { model: "r" });
    first.resolve();
    expect(await begun).toMatchObject({ text: "a", recorded: ["a/m"] });
    at.a.plays(stalls);
    expect(await call("gRPC unary", { model: "r" })).toMatchObject({ text: "b", reason: "" });
  });

  it("is never started for a request with a tool that the provider runs", async () => {
    const { call, at } = await startRouted({
      providers: ["a"],
      dialects: { a: "groq" },
      yaml: `routes:
  r:
    tiers: [{ targets: [{ model: a/one }, { model: a/two }], balance: order }]
    attempts: { max: 2, per_target: 1 }
    hedge: ${always}
`,
    });
    const go = Promise.withResolvers<void>();
    at.a.plays((request) => ({ ...answers("a")(request), holdHeaders: go.promise }));
    const kind = { case: "providerTool", value: { provider: "a", type: "browser_search" } } as const;
    const tool = call("gRPC unary", { model: "r", tools: [create(ToolSchema, { kind })] });
    await at.a.received(1);
    // The same request without the tool is hedged meanwhile.
    const plain = call("gRPC unary", { model: "r" });
    await at.a.received(3);
    go.resolve();
    expect(await tool).toMatchObject({ text: "a", recorded: ["a/one"] });
    expect((await plain).recorded).toHaveLength(2);
  });
});
