import { durationMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import {
  answers,
  isStreamed,
  type Play,
  rejects,
  stalls,
  stallsAfterHeaders,
  stallsAfterStarted,
} from "../../support/chat-upstream.ts";
import { streamEnd, textChunk } from "../../support/openai-wire.ts";
import { deadlineForms, forms, startRouted } from "./harness.ts";

const route = (more = "") => `
routes:
  r:
    tiers: [{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]
    ${more}`;

const silent: readonly (readonly [string, Play])[] = [
  ["before its headers", stalls],
  ["after its headers", stallsAfterHeaders],
  ["after the event that begins a stream", stallsAfterStarted],
];

describe.each(deadlineForms)("a caller with two seconds, as %s", (form) => {
  it.each(silent)("is served by the second target if the first stalls %s", async (_, play) => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    // The first call of a process takes longer.
    await call(form, { model: "b/m" });
    at.a.plays(play);
    const got = await call(form, { model: "r", timeoutMs: 2_000 });
    expect(got).toMatchObject({ text: "b", reason: "", warnings: ["FELL_BACK"] });
    expect(got.attempts).toEqual(["a/m abandoned:PROVIDER_TIMEOUT", "b/m"]);
    expect(got.recorded).toEqual(got.attempts);
    await (await at.a.received(1)).aborted;
  });

  it("is served by the third target if two stall", async () => {
    const tiers = "[{ targets: [{ model: a/m }, { model: b/m }], balance: order }, { targets: [{ model: c/m }] }]";
    const yaml = `routes: { r: { tiers: ${tiers} } }`;
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml });
    at.a.plays(stalls);
    at.b.plays(stallsAfterHeaders);
    await call(form, { model: "c/m" });
    const got = await call(form, { model: "r", timeoutMs: 2_000 });
    expect(got).toMatchObject({ text: "c", reason: "" });
    expect(got.attempts).toEqual(["a/m abandoned:PROVIDER_TIMEOUT", "b/m abandoned:PROVIDER_TIMEOUT", "c/m"]);
  });

  it("keeps an attempt whose output has begun, however long it lasts", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    const over = Promise.withResolvers<void>();
    // The last text comes after the share of the first target.
    at.a.plays(() => ({ steps: [{ write: textChunk("a ") }, { hold: over.promise }, { write: streamEnd }] }));
    const timer = setTimeout(over.resolve, 900);
    const got = await call(form, { model: "r", timeoutMs: 1_500 });
    clearTimeout(timer);
    expect(got).toMatchObject({ text: "a ", reason: "", attempts: ["a/m"] });
    expect(at.b.requests).toHaveLength(0);
    // Also for a unary call, which gets nothing before its end.
    expect(got.record.firstOutputMs).toBeLessThan(got.record.durationMs - 50);
  });

  it("gets the deadline's error, with both attempts, if both targets stall", async () => {
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml: route() });
    await call(form, { model: "echo/echo" });
    at.a.plays(stalls);
    at.b.plays(stalls);
    const got = await call(form, { model: "r", timeoutMs: 1_000 });
    expect(got.reason).toMatch(/DEADLINE_EXCEEDED|DeadlineExceeded/);
    expect(got.record).toMatchObject({ outcome: "deadline_exceeded", reason: "DEADLINE_EXCEEDED" });
    expect(got.recorded).toEqual(["a/m abandoned:PROVIDER_TIMEOUT", "b/m abandoned:DEADLINE_EXCEEDED"]);
    expect(got.record.durationMs).toBeLessThan(2_500);
    await (await at.b.received(1)).aborted;
    // Neither the caller's short deadline nor the share tells that a target fails.
    for (const target of service.routing.targets("r")) expect(target).toMatchObject({ failureRatio: 0, inFlight: 0 });
  });

  it("is served by the target that can respond in time, although an earlier one works and is only slow", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    const slow = () => new Promise((resolve) => setTimeout(resolve, 1_500));
    at.a.plays((request) => ({ ...answers("a")(request), holdHeaders: slow() }));
    await call(form, { model: "b/m" });
    expect(await call(form, { model: "r" })).toMatchObject({ text: "a", recorded: ["a/m"] });
    for (let index = 0; index < 2; index++) {
      const got = await call(form, { model: "r", timeoutMs: 1_200 });
      expect(got).toMatchObject({ text: "b", reason: "", recorded: ["b/m"] });
      expect(got.fellBack).toEqual(["a/m had no time left; b/m responds instead"]);
    }
    // With more time, the first target is the one again.
    expect(await call(form, { model: "r", timeoutMs: 20_000 })).toMatchObject({ text: "a", recorded: ["a/m"] });
  });

  it("starts no attempt that cannot finish", async () => {
    const yaml = route("retry: { backoff: { initial: 10s, max: 10s } }");
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    at.a.plays(rejects(503));
    at.b.plays(rejects(503));
    const got = await call(form, { model: "r", timeoutMs: 1_000 });
    // At most two quick retries fit, if the jitter is short. The call does not sleep until its deadline.
    expect(got).toMatchObject({ reason: "PROVIDER_UNAVAILABLE" });
    expect(got.record.durationMs).toBeLessThan(1_500);
  });
});

describe.each(["OpenAI stream", "OpenAI unary"] as const)("limits.max_call_duration, as %s", (form) => {
  it.each(silent)("is shared by the targets like a deadline, if the first stalls %s", async (_, play) => {
    const yaml = `${route()}\nlimits: { max_call_duration: 2s }`;
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    await call(form, { model: "b/m" });
    at.a.plays(play);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", recorded: ["a/m abandoned:PROVIDER_TIMEOUT", "b/m"] });
  });
});

describe.each(["OpenAI stream", "OpenAI unary"] as const)("the time that an SDK waits, as %s", (form) => {
  const headers = { "x-stainless-timeout": "2" };

  it.each(silent)("is shared by the targets like a deadline, if the first stalls %s", async (_, play) => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    await call(form, { model: "b/m" });
    at.a.plays(play);
    const got = await call(form, { model: "r", headers });
    expect(got).toMatchObject({ text: "b", reason: "", recorded: ["a/m abandoned:PROVIDER_TIMEOUT", "b/m"] });
    expect(got.record.durationMs).toBeLessThan(5_000);
  });

  it.each([
    "0.001",
    "0",
    "-1",
    "soon",
    "9".repeat(400),
  ])("does not end the call of a client that stays: %s", async (value) => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    at.a.plays(rejects(503));
    const got = await call(form, { model: "r", headers: { "x-stainless-timeout": value } });
    expect(got).toMatchObject({ text: "b", reason: "" });
  });
});

describe("a unary call", () => {
  it("is streamed upstream while it has a further target, and is not streamed at the last one", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      yaml: route("attempts: { max: 2, per_target: 1 }"),
    });
    at.a.plays(rejects(503));
    const got = await call("gRPC unary", { model: "r" });
    expect(got).toMatchObject({ text: "b" });
    expect(isStreamed(await at.a.received(1))).toBe(true);
    expect(isStreamed(await at.b.received(1))).toBe(false);
  });

  it.each([
    ["a first_output timeout", "timeouts: { first_output: 60s }"],
    ["hedges", "hedge: { after: 10s }"],
  ])("is streamed upstream at the last target of a route with %s, which shows when its output begins", async (_, more) => {
    const yaml = route(`attempts: { max: 2, per_target: 1 }\n    ${more}`);
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    at.a.plays(rejects(503));
    expect(await call("gRPC unary", { model: "r" })).toMatchObject({ text: "b" });
    expect(isStreamed(await at.b.received(1))).toBe(true);
  });

  it("is not streamed upstream at the only target", async () => {
    const { call, at } = await startRouted({ providers: ["a"] });
    expect(await call("gRPC unary", { model: "a/m" })).toMatchObject({ text: "a" });
    expect(isStreamed(await at.a.received(1))).toBe(false);
  });

  it("has the same response from a stream as from a whole body", async () => {
    const { call } = await startRouted({ providers: ["a", "b"], yaml: route() });
    const [streamed, whole] = [await call("gRPC unary", { model: "r" }), await call("gRPC unary", { model: "a/m" })];
    for (const { completion } of [streamed, whole]) {
      expect(completion?.usage).toMatchObject({ inputTokens: 3, outputTokens: 2, totalTokens: 5 });
      expect(completion?.attempts).toMatchObject([{ usage: { totalTokens: 5 } }]);
    }
    expect(streamed.completion?.choices).toEqual(whole.completion?.choices);
  });
});

describe.each(forms)("the timeouts of a route, as %s", (form) => {
  it.each(silent)("first_output ends an attempt that stalls %s, and the breaker learns it", async (_, play) => {
    const yaml = route("timeouts: { first_output: 300ms }");
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml });
    at.a.plays(play);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", attempts: ["a/m PROVIDER_TIMEOUT", "b/m"] });
    expect(got.recorded).toEqual(got.attempts);
    expect(service.routing.targets("r")[0]).toMatchObject({ name: "a/m", failureRatio: 1 });
  });

  it("first_output also holds at the last target", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      yaml: route("timeouts: { first_output: 300ms }\n    attempts: { max: 2, per_target: 1 }"),
    });
    await call(form, { model: "r" });
    at.a.plays(rejects(503));
    at.b.plays(stalls);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({
      reason: "PROVIDER_TIMEOUT",
      attempts: ["a/m PROVIDER_UNAVAILABLE", "b/m PROVIDER_TIMEOUT"],
    });
    expect(got.message).toContain("b/m sent no output in 300 ms");
  });

  it("a provider's own timeouts stay", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      sections: { a: "timeouts: { first_event: 300ms }" },
      yaml: route("timeouts: { first_output: 60s, attempt: 90s, idle: 60s }"),
    });
    at.a.plays(stalls);
    expect(await call(form, { model: "r" })).toMatchObject({ text: "b", attempts: ["a/m PROVIDER_TIMEOUT", "b/m"] });
  });
});

describe("first_output", () => {
  const reasoning = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { reasoning_content: "hm" }, finish_reason: null }] })}\n\n`;

  it.each(["gRPC stream", "gRPC unary"] as const)("is over with a reasoning delta, as %s", async (form) => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      yaml: route("timeouts: { first_output: 300ms }"),
    });
    const over = new Promise((resolve) => setTimeout(resolve, 700));
    at.a.plays(() => ({
      steps: [{ write: reasoning }, { hold: over }, { write: textChunk("a") }, { write: streamEnd }],
    }));
    expect(await call(form, { model: "r" })).toMatchObject({ text: "a", reason: "", recorded: ["a/m"] });
  });

  it.each(["gRPC stream", "gRPC unary"] as const)("is not over with keep-alives, as %s", async (form) => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      yaml: route("timeouts: { first_output: 300ms }"),
    });
    const steps = Array.from({ length: 150 }, () => [
      { write: ": keep-alive\n\n" },
      { hold: () => new Promise((resolve) => setTimeout(resolve, 10)) },
    ]).flat();
    at.a.plays(() => ({ steps }));
    expect(await call(form, { model: "r" })).toMatchObject({ text: "b", recorded: ["a/m PROVIDER_TIMEOUT", "b/m"] });
  });
});

describe("the timeout attempt of a route", () => {
  it("ends a unary attempt that has output but no end", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route("timeouts: { attempt: 500ms }") });
    at.a.plays(() => ({ steps: [{ write: textChunk("a ") }, { hold: new Promise(() => {}) }] }));
    const got = await call("gRPC unary", { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", attempts: ["a/m PROVIDER_TIMEOUT", "b/m"] });
    // What the abandoned response has used stays in its attempt.
    expect(got.completion?.attempts[0]?.usage?.outputTokens).toBeGreaterThan(0);
  });

  it("does not end a stream that has output", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route("timeouts: { attempt: 300ms }") });
    const over = Promise.withResolvers<void>();
    at.a.plays(() => ({ steps: [{ write: textChunk("a ") }, { hold: over.promise }, { write: streamEnd }] }));
    const timer = setTimeout(over.resolve, 600);
    const got = await call("gRPC stream", { model: "r" });
    clearTimeout(timer);
    expect(got).toMatchObject({ text: "a ", reason: "", attempts: ["a/m"] });
  });

  it("leaves the first output of a later attempt to its own time", async () => {
    const { call, at } = await startRouted({
      providers: ["a"],
      yaml: `
routes: { r: { tiers: [{ targets: [{ model: a/m }] }], timeouts: { attempt: 400ms } } }`,
    });
    at.a.plays(stalls, answers("again"));
    const got = await call("gRPC stream", { model: "r" });
    expect(got).toMatchObject({ text: "again", reason: "", attempts: ["a/m PROVIDER_TIMEOUT", "a/m"] });
    const [first, second] = got.record.attempts;
    const startMs = (attempt: typeof first) => (attempt?.startOffset ? durationMs(attempt.startOffset) : 0);
    expect(startMs(second)).toBeGreaterThanOrEqual(startMs(first) + 400);
  });
});
