import { describe, expect, it } from "vitest";
import { answers, limits, rejects, stalls } from "../../support/chat-upstream.ts";
import { textChunk } from "../../support/openai-wire.ts";
import { deadlineForms, forms, startRouted, streamForms } from "./harness.ts";

const tiers = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
const route = (more = "") => `routes:
  r:
    tiers: ${tiers}
    attempts: { max: 2, per_target: 1 }
    ${more}
`;

describe.each(forms)("a response without end, as %s", (form) => {
  it.each(["r", "a/m"])("ends with ANSWER_TOO_LARGE and closes its connection: %s", async (model) => {
    const yaml = `${route()}limits: { max_answer_size: 1MiB }`;
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    const block = Buffer.from(textChunk("x".repeat(30_000)));
    let blocks = 0;
    // The provider would stop after 64 times the limit.
    at.a.plays(() => ({ steps: [{ flood: () => (blocks++ < 64 * 35 ? block : Buffer.alloc(0)) }] }));
    const got = await call(form, { model });
    expect(got).toMatchObject({ reason: "ANSWER_TOO_LARGE" });
    expect(got.record.attempts).toHaveLength(1);
    await (await at.a.received(1)).aborted;
    expect(at.a.floodedBytes).toBeLessThan(32 * 1024 * 1024);
    expect(at.b.requests).toHaveLength(0);
  });
});

describe.each(streamForms)("the timeout idle of a route, as %s", (form) => {
  it("ends a stream that stalls after its first delta, and nobody else is asked", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a", "b"],
      yaml: route("timeouts: { idle: 100ms }"),
    });
    at.a.plays(() => ({ steps: [{ write: textChunk("half ") }, { hold: new Promise(() => {}) }] }));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "half ", reason: "PROVIDER_TIMEOUT", recorded: ["a/m PROVIDER_TIMEOUT"] });
    if (form === "gRPC stream") expect(got.partial).toBe(true);
    await (await at.a.received(1)).aborted;
    expect(service.routing.targets("r")[0]).toMatchObject({ failureRatio: 1 });
    expect(at.b.requests).toHaveLength(0);
  });
});

describe.each(deadlineForms)("a wait in Dragoman's own queue, as %s", (form) => {
  it("gives way to another target, and tells nothing about the target", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a", "b"],
      sections: { a: "max_connections: 1" },
      yaml: route(),
    });
    const controller = new AbortController();
    at.a.plays(stalls);
    const first = call(form, { model: "a/other", signal: controller.signal });
    await at.a.received(1);
    const got = await call(form, { model: "r", timeoutMs: 3_000 });
    expect(got).toMatchObject({ text: "b", reason: "", recorded: ["a/m abandoned:PROVIDER_TIMEOUT", "b/m"] });
    expect(got.record.attempts[0]?.queueDuration).toBeDefined();
    expect(service.routing.targets("r")[0]).toMatchObject({
      failureRatio: 0,
      firstOutputMs: undefined,
      queueLength: 0,
    });
    controller.abort();
    await first;
    expect(at.a.requests).toHaveLength(1);
  });
});

describe.each(forms)("a rate limit without a delay, as %s", (form) => {
  it("is waited for about a second at the only key", async () => {
    const { call, at } = await startRouted({
      providers: ["a"],
      sections: { a: "keys: [{ name: one, value: secret-of-one }]" },
    });
    at.a.plays(rejects(429), answers("later"));
    const got = await call(form, { model: "a/m" });
    expect(got).toMatchObject({ text: "later", reason: "" });
    expect(got.record.durationMs).toBeGreaterThanOrEqual(999);
  });
});

describe.each(forms)("a caller's cancel, as %s", (form) => {
  it("ends at once a call that waits for a limited key", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a"],
      sections: { a: "keys: [{ name: one, value: secret-of-one }]" },
    });
    const cooling = new Promise<void>((resolve) => {
      service.routing.onChange(({ to }) => to === "cooling" && resolve());
    });
    at.a.plays(limits(4_500), answers("later"));
    const controller = new AbortController();
    const ended = call(form, { model: "a/m", signal: controller.signal });
    await cooling;
    controller.abort();
    const { record, recorded } = await ended;
    expect(record).toMatchObject({ outcome: "cancelled" });
    expect(record.durationMs).toBeLessThan(4_000);
    expect(recorded).toEqual(["a/m#one PROVIDER_RATE_LIMITED"]);
    expect(at.a.requests).toHaveLength(1);
  });
});
