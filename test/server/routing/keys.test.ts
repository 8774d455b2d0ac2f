import { describe, expect, it } from "vitest";
import { answers, begins, keyOf, limits, type Play, rejects } from "../../support/chat-upstream.ts";
import { deadlineForms, forms, type Got, startRouted } from "./harness.ts";

const names = ["one", "two", "three"] as const;
const secret = (name: string) => `secret-of-${name}`;
const keys = (...all: readonly string[]) =>
  `keys: [${all.map((name) => `{ name: ${name}, value: ${secret(name)} }`).join(", ")}]`;

/** Plays by the name of the request's key. */
const byKey =
  (plays: Readonly<Record<string, Play>>): Play =>
  (request) =>
    (plays[keyOf(request).replace("secret-of-", "")] ?? answers("ok"))(request);

/** Sends the first part of a response, and then an error because of the rate limit of the key. */
const limitsInside = begins("half ", {
  write: `data: ${JSON.stringify({ error: { message: "no", type: "error", code: "rate_limit_exceeded" } })}\n\n`,
});

const route = (more = "") => `routes: { r: { tiers: [{ targets: [{ model: a/m }] }]${more} } }`;

function expectNoSecret(got: Got): void {
  const seen = JSON.stringify([got, [...got.headers]], (_, value) => (typeof value === "bigint" ? `${value}` : value));
  for (const name of names) expect(seen).not.toContain(secret(name));
}

describe.each(forms)("the keys of a provider, as %s", (form) => {
  it("moves to the next key at once after a rate limit, which counts as the same attempt", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a"],
      sections: { a: keys("one", "two") },
      yaml: route(", attempts: { max: 1 }"),
    });
    at.a.plays(byKey({ one: limits(60_000) }));
    const seen: Got[] = [];
    while (!seen.some(({ recorded }) => recorded.length === 2) && seen.length < 30) {
      seen.push(await call(form, { model: "r" }));
    }
    const moved = seen.at(-1);
    expect(moved).toMatchObject({ text: "ok", reason: "", warnings: [] });
    expect(moved?.attempts).toEqual(["a/m#one PROVIDER_RATE_LIMITED", "a/m#two"]);
    expect(moved?.recorded).toEqual(moved?.attempts);
    if (moved) expectNoSecret(moved);
    // Other calls leave the limited key alone.
    const asked = at.a.requests.length;
    for (let index = 0; index < 12; index++) expect((await call(form, { model: "r" })).recorded).toEqual(["a/m#two"]);
    expect(at.a.requests.slice(asked).map(keyOf)).toEqual(new Array(12).fill(secret("two")));
    expect(service.routing.targets("r")[0]?.keys).toMatchObject([
      { name: "one", reason: "PROVIDER_RATE_LIMITED", coolUntilMs: expect.any(Number) },
      { name: "two", reason: "", coolUntilMs: undefined },
    ]);
    expect(service.routing.targets("r")[0]).toMatchObject({ state: "closed", failureRatio: 0 });
  });

  it("waits for the first key to be free if all are limited and the wait is short", async () => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one", "two") }, yaml: route() });
    at.a.plays(limits(120), limits(300), answers("ok"));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "ok", reason: "" });
    const [first, second, third] = at.a.requests.map(keyOf);
    expect(new Set([first, second]).size).toBe(2);
    expect(third).toBe(first);
    expect(got.record.durationMs).toBeGreaterThanOrEqual(120);
    expect(got.record.durationMs).toBeLessThan(2_000);
  });

  it("fails at once with the shortest delay if no key is free soon enough", async () => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one", "two") }, yaml: route() });
    at.a.plays(limits(90_000), limits(40_000));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", text: "" });
    expect(got.recorded).toHaveLength(2);
    // A stream over an HTTP API has the delay in its headers too, since nothing was sent before.
    expect(got.retryMs).toBe(40_000);
    // The next call asks nobody.
    const next = await call(form, { model: "r" });
    expect(next).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", recorded: [] });
    expect(next.retryMs).toBeGreaterThan(35_000);
    expect(next.retryMs).toBeLessThanOrEqual(40_000);
    expect(at.a.requests).toHaveLength(2);
  });

  it.each([
    [401, "PROVIDER_CREDENTIALS_REJECTED"],
    [402, "PROVIDER_QUOTA_EXHAUSTED"],
    [403, "PROVIDER_PERMISSION_DENIED"],
  ])("moves to the next key after HTTP %i, and does not use the key again", async (status, reason) => {
    const { call, at, service } = await startRouted({
      providers: ["a"],
      sections: { a: keys("one", "two", "three") },
      yaml: route(", attempts: { max: 1 }"),
    });
    at.a.plays(byKey({ one: rejects(status), two: rejects(status) }));
    const seen: string[][] = [];
    for (let index = 0; index < 15; index++) {
      const got = await call(form, { model: "r" });
      expect(got).toMatchObject({ text: "ok", reason: "" });
      expectNoSecret(got);
      seen.push([...got.recorded]);
    }
    const used = seen.flat();
    expect(used.filter((attempt) => attempt.startsWith("a/m#one"))).toEqual([`a/m#one ${reason}`]);
    expect(used.filter((attempt) => attempt.startsWith("a/m#two"))).toEqual([`a/m#two ${reason}`]);
    expect(service.routing.targets("r")[0]).toMatchObject({ state: "closed", failureRatio: 0 });
  });

  it("goes to the next tier when all keys of a target are rejected", async () => {
    const tiers = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      sections: { a: keys("one", "two") },
      yaml: `routes: { r: { tiers: ${tiers} } }`,
    });
    at.a.plays(rejects(401));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", warnings: ["FELL_BACK"] });
    expect(got.recorded.slice(0, 2).sort()).toEqual(
      ["one", "two"].map((name) => `a/m#${name} PROVIDER_CREDENTIALS_REJECTED`),
    );
    const next = await call(form, { model: "r" });
    expect(next).toMatchObject({ text: "b", recorded: ["b/m"], warnings: ["FELL_BACK"] });
    expect(next.fellBack[0]).toContain("a/m rejected all keys before");
    expect(at.a.requests).toHaveLength(2);
  });

  it("takes a key out of use that is limited in the middle of a response, which says nothing about the target", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a", "b"],
      sections: { a: keys("one", "two") },
      yaml: "routes: { r: { tiers: [{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }] } }",
    });
    at.a.plays(byKey({ one: limitsInside, two: limitsInside }), byKey({ one: answers("ok"), two: answers("ok") }));
    const got = await call(form, { model: "r" });
    const [first, ...rest] = got.recorded;
    expect(first).toMatch(/^a\/m#(one|two) PROVIDER_STREAM_INTERRUPTED$/);
    if (form.endsWith("stream")) expect(got).toMatchObject({ text: "half ", reason: "PROVIDER_STREAM_INTERRUPTED" });
    else expect(got).toMatchObject({ text: "ok", reason: "", warnings: [] });
    expect(rest).toEqual(form.endsWith("stream") ? [] : [first?.includes("#one") ? "a/m#two" : "a/m#one"]);
    const [target] = service.routing.targets("r");
    expect(target).toMatchObject({ name: "a/m", failureRatio: 0 });
    expect(target?.keys.map(({ reason }) => reason).sort()).toEqual(["", "PROVIDER_RATE_LIMITED"]);
  });

  it("says when the key can be used if the provider does not", async () => {
    const yaml = route(", retry: { retry_after_up_to: 0s }");
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one") }, yaml });
    at.a.plays(rejects(429));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", recorded: ["a/m#one PROVIDER_RATE_LIMITED"] });
    expect(got.retryMs).toBeGreaterThan(500);
    expect(got.retryMs).toBeLessThanOrEqual(1_000);
  });

  it("uses a rejected key all the same if the others are limited for long", async () => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one", "two") }, yaml: route() });
    at.a.plays(byKey({ one: limits(3_600_000), two: rejects(402) }));
    expect((await call(form, { model: "r" })).reason).not.toBe("");
    at.a.plays(byKey({ one: limits(3_600_000), two: answers("paid") }));
    expect(await call(form, { model: "r" })).toMatchObject({ text: "paid", recorded: ["a/m#two"] });
  });

  it("fails with FAILED_PRECONDITION's reason and no secret if the only key is rejected", async () => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one") }, yaml: route() });
    at.a.plays(rejects(401, { message: `Incorrect API key provided: ${secret("one")}` }));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ reason: "PROVIDER_CREDENTIALS_REJECTED" });
    expect(got.recorded).toEqual(["a/m#one PROVIDER_CREDENTIALS_REJECTED"]);
    expectNoSecret(got);
  });
});

describe("a rate limit", () => {
  it("moves to another target rather than waiting for the key", async () => {
    const tiers = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      sections: { a: keys("one") },
      yaml: `routes: { r: { tiers: ${tiers} } }`,
    });
    at.a.plays(limits(2_000));
    const got = await call("gRPC unary", { model: "r" });
    expect(got).toMatchObject({ text: "b", recorded: ["a/m#one PROVIDER_RATE_LIMITED", "b/m"] });
    expect((await call("gRPC stream", { model: "r" })).recorded).toEqual(["b/m"]);
    expect(at.a.requests).toHaveLength(1);
  });

  it.each(deadlineForms)("is not waited for beyond the deadline, as %s", async (form) => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one") }, yaml: route() });
    at.a.plays(limits(3_000));
    const got = await call(form, { model: "r", timeoutMs: 1_500 });
    expect(got).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", retryMs: 3_000 });
    expect(got.record.durationMs).toBeLessThan(1_000);
    expect(at.a.requests).toHaveLength(1);
  });

  it("of one model leaves the provider's other models alone", async () => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one") } });
    at.a.plays(limits(60_000), answers("ok"));
    expect(await call("gRPC unary", { model: "a/m" })).toMatchObject({ reason: "PROVIDER_RATE_LIMITED" });
    expect(await call("gRPC unary", { model: "a/other" })).toMatchObject({ text: "ok", reason: "" });
  });

  it("of a rejected key holds at all models of the provider", async () => {
    const { call, at } = await startRouted({ providers: ["a"], sections: { a: keys("one", "two") } });
    at.a.plays(byKey({ one: rejects(401) }));
    let got: Got;
    do got = await call("gRPC unary", { model: "a/m" });
    while (got.recorded.length === 1);
    const asked = at.a.requests.length;
    for (let index = 0; index < 8; index++) await call("gRPC unary", { model: "a/other" });
    expect(new Set(at.a.requests.slice(asked).map(keyOf))).toEqual(new Set([secret("two")]));
  });

  it("lets many calls wait for a key, of which none asks before its time", async () => {
    const { call, at, service } = await startRouted({ providers: ["a"], sections: { a: keys("one") }, yaml: route() });
    let limitedAt = 0;
    const early: number[] = [];
    at.a.plays((request) => {
      if (limitedAt === 0) {
        limitedAt = performance.now();
        return limits(400)(request);
      }
      if (performance.now() - limitedAt < 399) early.push(performance.now() - limitedAt);
      return answers("ok")(request);
    });
    const limited = new Promise<void>((resolve) => service.routing.onChange(({ to }) => to === "cooling" && resolve()));
    const first = call("gRPC unary", { model: "r" });
    await limited;
    const others = await Promise.all(Array.from({ length: 6 }, () => call("gRPC unary", { model: "r" })));
    for (const got of [await first, ...others]) expect(got).toMatchObject({ text: "ok", reason: "" });
    expect(early).toEqual([]);
  });
});

describe.each(forms)("a provider without keys, as %s", (form) => {
  it.each([
    [401, 2],
    [402, 1],
    [403, 1],
  ])("gets no more attempts for HTTP %i than can help: %i", async (status, attempts) => {
    const { call, at } = await startRouted({ providers: ["a"] });
    at.a.plays(rejects(status));
    const got = await call(form, { model: "a/m" });
    expect(got.reason).toMatch(/^PROVIDER_/);
    // After a 401, adapters that make tokens make a new one.
    expect(got.recorded).toHaveLength(attempts);
  });

  it("is asked again after the delay of a rate limit", async () => {
    const { call, at } = await startRouted({ providers: ["a"] });
    at.a.plays(limits(120), answers("later"));
    const got = await call(form, { model: "a/m" });
    expect(got).toMatchObject({ text: "later", reason: "" });
    expect(got.record.durationMs).toBeGreaterThanOrEqual(119);
  });
});
