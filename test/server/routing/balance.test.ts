import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GenerationParametersSchema } from "../../../src/gen/dragoman/v1/parameters_pb.js";
import { answers, type Play, rejects } from "../../support/chat-upstream.ts";
import { forms, type Routed, startRouted } from "./harness.ts";

/** Answers after some milliseconds, as a slow provider does. */
const slow =
  (ms: number, text: string): Play =>
  (request) => ({ ...answers(text)(request), holdHeaders: new Promise((resolve) => setTimeout(resolve, ms)) });

const route = (targets: string, more: string) => `routes: { r: { tiers: [{ targets: [${targets}], ${more} }] } }\n`;

/** Makes calls, some at a time, and returns how many each target served. */
async function shares(
  { call }: Pick<Routed<string>, "call">,
  calls: number,
  atOnce: number,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  let left = calls;
  const work = async () => {
    while (left-- > 0) {
      const { text, reason } = await call("gRPC unary", { model: "r" });
      expect(reason).toBe("");
      counts[text] = (counts[text] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return counts;
}

describe("weighted", () => {
  it("spreads calls in proportion to the weights", async () => {
    const routed = await startRouted({
      providers: ["a", "b"],
      yaml: route("{ model: a/m, weight: 3 }, { model: b/m }", "balance: weighted"),
    });
    const { a = 0, b = 0 } = await shares(routed, 400, 8);
    expect(a + b).toBe(400);
    // Six standard deviations of 400 draws with the probability 3/4 are 52.
    expect(Math.abs(a - 300)).toBeLessThan(52);
  });

  it("sends no call to a target with the weight 0, unless no other is left", async () => {
    const routed = await startRouted({
      providers: ["a", "b"],
      yaml: route("{ model: a/m, weight: 0 }, { model: b/m }", "balance: weighted"),
    });
    expect(await shares(routed, 40, 4)).toEqual({ b: 40 });
  });

  it("spreads calls over models of one provider", async () => {
    const routed = await startRouted({
      providers: ["a"],
      yaml: route("{ model: a/m }, { model: a/n }", "balance: weighted"),
    });
    await shares(routed, 60, 4);
    const models = new Set(routed.at.a.requests.map(({ body }) => JSON.parse(body).model));
    expect(models).toEqual(new Set(["m", "n"]));
  });
});

describe.each(forms)("order, as %s", (form) => {
  it("takes the first usable target", async () => {
    const yaml = route("{ model: b/m }, { model: a/m }", "balance: order");
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml });
    for (let index = 0; index < 5; index++) expect(await call(form, { model: "r" })).toMatchObject({ text: "b" });
    at.b.plays(rejects(503));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "a", recorded: ["b/m PROVIDER_UNAVAILABLE", "a/m"], warnings: ["FELL_BACK"] });
  });
});

describe.each(forms)("cost, as %s", (form) => {
  const prices = `prices:
  a/m: { input: "10.00", output: "10.00" }
  b/m: { input: "1.00", output: "2.00" }
  c/m: { input: "3.00", output: "0.10" }
`;

  it("takes the target with the lowest price of the call", async () => {
    const yaml = route("{ model: a/m }, { model: b/m }, { model: d/m }", "balance: cost") + prices;
    const { call, at } = await startRouted({ providers: ["a", "b", "c", "d"], yaml });
    for (let index = 0; index < 4; index++) expect(await call(form, { model: "r" })).toMatchObject({ text: "b" });
    at.b.plays(rejects(503));
    expect((await call(form, { model: "r" })).recorded).toEqual(["b/m PROVIDER_UNAVAILABLE", "a/m"]);
  });

  it("takes a target without a price last", async () => {
    const yaml = route("{ model: d/m }, { model: a/m }", "balance: cost") + prices;
    const { call, at } = await startRouted({ providers: ["a", "b", "c", "d"], yaml });
    expect(await call(form, { model: "r" })).toMatchObject({ text: "a" });
    expect(at.d.requests).toHaveLength(0);
  });
});

describe("cost", () => {
  it("weighs the prompt against the expected response", async () => {
    const yaml = `${route("{ model: a/m }, { model: b/m }", "balance: cost")}prices:
  a/m: { input: "1.00", output: "10.00" }
  b/m: { input: "3.00", output: "0.10" }
`;
    const { call } = await startRouted({ providers: ["a", "b"], yaml });
    const long = "a long prompt with many words ".repeat(2_000);
    expect(await call("gRPC unary", { model: "r", text: long })).toMatchObject({ text: "a" });
    expect(await call("gRPC unary", { model: "r", text: "short" })).toMatchObject({ text: "b" });
    const parameters = create(GenerationParametersSchema, { maxOutputTokens: 1 });
    expect(await call("gRPC unary", { model: "r", text: "short", parameters })).toMatchObject({ text: "a" });
  });
});

describe("latency", () => {
  it("moves away from a target that has become slow, without a herd", async () => {
    const targets = "{ model: a/m }, { model: b/m }, { model: c/m }";
    const routed = await startRouted({ providers: ["a", "b", "c"], yaml: route(targets, "balance: latency") });
    const { at } = routed;
    await shares(routed, 60, 3);
    for (const { requests } of Object.values(at)) expect(requests.length).toBeGreaterThan(0);
    at.a.plays(slow(250, "a"));
    const counts = await shares(routed, 200, 8);
    // As many as are in flight at once, and some that try it again.
    expect(counts.a ?? 0).toBeLessThan(30);
    expect((counts.b ?? 0) + (counts.c ?? 0)).toBeGreaterThan(170);
  });

  it("gives all targets calls at the start", async () => {
    const targets = "{ model: a/m }, { model: b/m }, { model: c/m }, { model: d/m }";
    const routed = await startRouted({ providers: ["a", "b", "c", "d"], yaml: route(targets, "balance: latency") });
    const counts = await shares(routed, 80, 8);
    expect(Object.keys(counts).sort()).toEqual(["a", "b", "c", "d"]);
  });
});

describe("a route of echo targets", () => {
  it.each(forms)("needs no upstream, as %s", async (form) => {
    const yaml =
      "routes: { r: { tiers: [{ targets: [{ model: echo/echo }, { model: echo/other }], balance: order }] } }";
    const { call } = await startRouted({ providers: ["a"], yaml });
    expect(await call(form, { model: "r", text: "hello" })).toMatchObject({ text: "hello", recorded: ["echo/echo"] });
  });
});

describe("a route with the id of a model of the catalog", () => {
  it.each(forms)("replaces the model for callers, and can name it as a target, as %s", async (form) => {
    const yaml = "routes: { gpt-4o: { tiers: [{ targets: [{ model: a/m }] }] } }";
    const { call } = await startRouted({ providers: ["a"], yaml });
    const got = await call(form, { model: "gpt-4o" });
    expect(got).toMatchObject({ text: "a", recorded: ["a/m"] });
    expect(got.record).toMatchObject({ route: "gpt-4o", model: "a/m" });
  });
});
