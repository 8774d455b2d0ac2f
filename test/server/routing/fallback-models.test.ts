import { describe, expect, it } from "vitest";
import { rejects } from "../../support/chat-upstream.ts";
import { startRouted } from "./harness.ts";

const forms = ["gRPC stream", "gRPC unary"] as const;
const route = "routes: { r: { tiers: [{ targets: [{ model: b/m }] }, { targets: [{ model: c/m }] }] } }";

describe.each(forms)("fallback_models, as %s", (form) => {
  it("serve a call in their order if the model fails", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"] });
    at.a.plays(rejects(503));
    at.b.plays(rejects(503));
    const got = await call(form, { model: "a/m", fallbackModels: ["b/m", "c/m"] });
    expect(got).toMatchObject({ text: "c", reason: "", warnings: ["FELL_BACK"] });
    expect(got.record).toMatchObject({ route: "", model: "c/m", provider: "c" });
    expect(got.recorded.at(-1)).toBe("c/m");
    expect(new Set(got.recorded.slice(0, -1))).toEqual(
      new Set(["a/m PROVIDER_UNAVAILABLE", "b/m PROVIDER_UNAVAILABLE"]),
    );
  });

  it("are not asked if the model responds", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"] });
    const got = await call(form, { model: "a/m", fallbackModels: ["b/m"] });
    expect(got).toMatchObject({ text: "a", warnings: [], recorded: ["a/m"] });
    expect(at.b.requests).toHaveLength(0);
  });

  it("can be a route, with all its tiers", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route });
    at.a.plays(rejects(503));
    at.b.plays(rejects(503));
    const got = await call(form, { model: "a/m", fallbackModels: ["r"] });
    expect(got).toMatchObject({ text: "c", reason: "" });
  });

  it("add tiers to a route", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route });
    at.b.plays(rejects(401));
    at.c.plays(rejects(401));
    const got = await call(form, { model: "r", fallbackModels: ["a/m"] });
    expect(got).toMatchObject({ text: "a", reason: "" });
    expect(got.record.route).toBe("r");
  });

  it("are not resolved if the request has more than it may have", async () => {
    const { call, service } = await startRouted({ providers: ["a"] });
    const fallbackModels = Array.from({ length: 20_000 }, (_, index) => `a/m${index}`);
    const got = await call(form, { model: "a/m", fallbackModels });
    expect(got.reason).toBe("INVALID_REQUEST");
    expect(service.routing.targets().map(({ name }) => name)).toEqual(["a/m"]);
  });

  it("are all tried, however many there are", async () => {
    const { call, at } = await startRouted({ providers: ["a"] });
    at.a.plays(rejects(503));
    const fallbackModels = Array.from({ length: 8 }, (_, index) => `a/m${index}`);
    const got = await call(form, { model: "a/m", fallbackModels });
    expect(got.recorded.map((attempt) => attempt.split(" ")[0])).toEqual([...["a/m", "a/m", "a/m"], ...fallbackModels]);
  });

  it("that do not exist are errors that name the field, before anybody is asked", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"] });
    const got = await call(form, { model: "a/m", fallbackModels: ["b/m", "no-such-model"] });
    expect(got).toMatchObject({ reason: "MODEL_NOT_FOUND", fields: ["chat.fallback_models[1]"], recorded: [] });
    expect(got.message).toContain("no-such-model");
    expect(at.a.requests).toHaveLength(0);
  });

  it("of a provider that is not configured are errors that name the field", async () => {
    const { call } = await startRouted({ providers: ["a"] });
    const got = await call(form, { model: "a/m", fallbackModels: ["openai/gpt-4o"] });
    expect(got).toMatchObject({ reason: "PROVIDER_NOT_CONFIGURED", fields: ["chat.fallback_models[0]"] });
  });

  it("are at most eight", async () => {
    const { call } = await startRouted({ providers: ["a"] });
    const got = await call(form, {
      model: "a/m",
      fallbackModels: Array.from({ length: 9 }, (_, index) => `a/n${index}`),
    });
    expect(got).toMatchObject({ reason: "INVALID_REQUEST", fields: ["chat.fallback_models"] });
  });

  it("can be the model itself, which does not repeat a rejected request", async () => {
    const { call, at } = await startRouted({ providers: ["a"] });
    at.a.plays(rejects(400));
    const got = await call(form, { model: "a/m", fallbackModels: ["a/m"] });
    expect(got).toMatchObject({ reason: "INVALID_REQUEST", recorded: ["a/m INVALID_REQUEST"] });
  });
});
