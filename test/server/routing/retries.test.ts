import { durationMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { answers, rejects, stalls } from "../../support/chat-upstream.ts";
import { deadlineForms, forms, recordOf, startRouted, until } from "./harness.ts";

const two = "[{ targets: [{ model: a/m }, { model: b/m }], balance: order }]";
const one = "[{ targets: [{ model: a/m }] }]";
const tiers = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
const route = (tiers: string, more = "") => `routes: { r: { tiers: ${tiers}${more} } }`;
const quick = "retry: { backoff: { initial: 1ms, max: 2ms } }";
/** A failure after which a call waits for four seconds. */
const waits = rejects(503, { headers: { "retry-after-ms": "4000" } });

describe.each(forms)("retries, as %s", (form) => {
  it.each([
    ["{ max: 3, per_target: 2 }", 3, 2],
    ["{ max: 4, per_target: 2 }", 4, 2],
    ["{ max: 9, per_target: 3 }", 6, 3],
    ["{ max: 1 }", 1, 1],
  ])("keep to attempts: %s", async (attempts, all, most) => {
    const yaml = route(two, `, attempts: ${attempts}, ${quick}`);
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    for (const upstream of [at.a, at.b]) upstream.plays(rejects(503));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ reason: "PROVIDER_UNAVAILABLE" });
    expect(got.recorded).toHaveLength(all);
    expect(at.a.requests.length + at.b.requests.length).toBe(all);
    expect(Math.max(at.a.requests.length, at.b.requests.length)).toBe(most);
  });

  it("try the other target before the same one again", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(two, `, ${quick}`) });
    at.a.plays(rejects(503), answers("again"));
    at.b.plays(rejects(503), answers("again"));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "again", reason: "" });
    const [first, second, third] = got.recorded;
    expect([first, second]).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m PROVIDER_UNAVAILABLE"]);
    expect(["a/m", "b/m"]).toContain(third);
  });

  it("wait as long as a provider requests, if that is short", async () => {
    const { call, at } = await startRouted({ providers: ["a"], yaml: route(one) });
    at.a.plays(rejects(503, { headers: { "retry-after-ms": "150" } }), answers("later"));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "later", recorded: ["a/m PROVIDER_UNAVAILABLE", "a/m"] });
    const [failed, answered] = got.record.attempts.map(({ startOffset }) =>
      startOffset ? durationMs(startOffset) : 0,
    );
    expect((answered ?? 0) - (failed ?? 0)).toBeGreaterThanOrEqual(149);
  });

  it.each([
    [429, "PROVIDER_RATE_LIMITED"],
    [503, "PROVIDER_UNAVAILABLE"],
  ])("take the next tier before a wait that a provider without key requests, status %i", async (status, reason) => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(tiers) });
    at.a.plays(rejects(status, { headers: { "retry-after-ms": "4000" } }));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", recorded: [`a/m ${reason}`, "b/m"] });
    expect(got.record.durationMs).toBeLessThan(4_000);
  });

  it("do not wait longer than retry_after_up_to, and the error says how long to wait", async () => {
    const yaml = route(one, ", retry: { retry_after_up_to: 100ms }");
    const { call, at } = await startRouted({ providers: ["a"], yaml });
    at.a.plays(waits);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ reason: "PROVIDER_UNAVAILABLE", retryMs: 4_000 });
    expect(at.a.requests).toHaveLength(1);
  });

  it("end at once, with nobody asked, if the caller cancels while the call waits", async () => {
    const { call, at, service } = await startRouted({ providers: ["a"], yaml: route(one) });
    at.a.plays(waits);
    const controller = new AbortController();
    const ended = call(form, { model: "r", signal: controller.signal });
    await at.a.received(1);
    await until(() => service.routing.targets("r")[0]?.inFlight === 0);
    const cancelledAt = performance.now();
    controller.abort();
    const { record, recorded } = await ended;
    expect(performance.now() - cancelledAt).toBeLessThan(1_000);
    expect(record).toMatchObject({ outcome: "cancelled", reason: "CANCELLED" });
    expect(recorded).toEqual(["a/m PROVIDER_UNAVAILABLE"]);
    expect(at.a.requests).toHaveLength(1);
  });
});

describe.each(deadlineForms)("a deadline, as %s", (form) => {
  it("is not slept away: a wait that would end after it is not begun", async () => {
    const { call, at } = await startRouted({ providers: ["a"], yaml: route(one) });
    at.a.plays(waits);
    const got = await call(form, { model: "r", timeoutMs: 2_000 });
    expect(got).toMatchObject({
      reason: "PROVIDER_UNAVAILABLE",
      retryMs: 4_000,
      recorded: ["a/m PROVIDER_UNAVAILABLE"],
    });
    expect(got.record.durationMs).toBeLessThan(1_500);
  });
});

describe("a retry budget", () => {
  it("bounds the retries of many calls at one target", async () => {
    const { service, call, at } = await startRouted({
      providers: ["a"],
      yaml: `${route(one, `, attempts: { max: 9, per_target: 9 }, retry: { budget: 0, backoff: { initial: 1ms, max: 1ms } }`)}
breaker: { consecutive: 100000, min_calls: 100000 }`,
    });
    at.a.plays(rejects(503));
    const begin = performance.now();
    const calls = Array.from({ length: 60 }, () => call("gRPC unary", { model: "r" }));
    for (const got of await Promise.all(calls)) expect(got.reason).toBe("PROVIDER_UNAVAILABLE");
    const seconds = Math.floor((performance.now() - begin) / 1_000) + 2;
    // Beside the share there are 10 retries a second. A few calls can decide in the same turn.
    expect(at.a.requests.length - 60).toBeLessThanOrEqual(10 * seconds);
    expect(at.a.requests.length - 60).toBeGreaterThan(0);
    expect(service.records.reduce((sum, { attempts }) => sum + attempts.length, 0)).toBe(at.a.requests.length);
  });

  it("does not bound moves to another target", async () => {
    const yaml = `${route(two, ", retry: { budget: 0 }")}\nbreaker: { consecutive: 100000, min_calls: 100000 }`;
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    at.a.plays(rejects(503));
    const calls = Array.from({ length: 60 }, () => call("gRPC unary", { model: "r" }));
    for (const got of await Promise.all(calls)) expect(got).toMatchObject({ text: "b", reason: "" });
  });
});

describe("shutdown", () => {
  it.each(["gRPC stream", "gRPC unary"] as const)("ends a call that waits for a retry, as %s", async (form) => {
    const { service, call, at } = await startRouted({ providers: ["a"], yaml: route(one) });
    at.a.plays(waits);
    const ended = call(form, { model: "r" });
    await at.a.received(1);
    await until(() => service.routing.targets("r")[0]?.inFlight === 0);
    await service.stop();
    const { record, recorded, reason } = await ended;
    expect(record).toMatchObject({ outcome: "failed", reason: "SHUTTING_DOWN" });
    expect(reason).toBe("SHUTTING_DOWN");
    expect(recorded).toEqual(["a/m PROVIDER_UNAVAILABLE"]);
    expect(at.a.requests).toHaveLength(1);
  });

  it("ends a call whose attempt stalls, and records the attempt", async () => {
    const { service, call, at } = await startRouted({ providers: ["a", "b"], yaml: route(two) });
    at.a.plays(stalls);
    const ended = call("gRPC unary", { model: "r" });
    const request = await at.a.received(1);
    await service.stop();
    await request.aborted;
    const { record } = await ended;
    expect(await recordOf(service, record.requestId)).toBe(record);
    expect(record).toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(record.attempts).toMatchObject([{ target: "a/m", failureReason: "SHUTTING_DOWN" }]);
    expect(at.b.requests).toHaveLength(0);
  });
});
