import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GenerationParametersSchema } from "../../../src/gen/dragoman/v1/parameters_pb.js";
import { ToolSchema } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { answers, rejects, stalls } from "../../support/chat-upstream.ts";
import { functionTool } from "../../support/tools.ts";
import { forms, startRouted } from "./harness.ts";

const two = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
const route = (more = "") => `routes: { r: { tiers: ${two}, attempts: { max: 2, per_target: 1 }${more} } }\n`;

describe.each(forms)("a target that cannot serve a request, as %s", (form) => {
  it("is not used if it lacks a capability that the route requires", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      yaml: `${route(", require: [tools, image_input]")}models:
  a/m: { capabilities: { tools: true, image_input: false } }
  b/m: { capabilities: { tools: true, image_input: true } }
`,
    });
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", recorded: ["b/m"], warnings: ["FELL_BACK"] });
    expect(got.fellBack).toEqual(["a/m cannot serve the request (UNSUPPORTED_PARAMETER); b/m responds instead"]);
    expect(at.a.requests).toHaveLength(0);
  });

  it("moves the call elsewhere if its queue is full, and the call is rejected only if all are", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      sections: { a: "max_connections: 1", b: "max_connections: 1" },
      yaml: `${route()}limits: { max_queue_per_provider: 0 }`,
    });
    const controller = new AbortController();
    const { signal } = controller;
    at.a.plays(stalls);
    at.b.plays(answers("b"), stalls);
    const first = call(form, { model: "r", signal });
    await at.a.received(1);
    const moved = await call(form, { model: "r" });
    expect(moved).toMatchObject({ text: "b", reason: "", warnings: ["FELL_BACK"] });
    const second = call(form, { model: "b/m", signal });
    await at.b.received(2);
    const full = await call(form, { model: "r" });
    expect(full).toMatchObject({ reason: "QUEUE_FULL" });
    expect(full.recorded).toEqual(["a/m QUEUE_FULL", "b/m QUEUE_FULL"]);
    expect(full.retryMs).toBeGreaterThan(0);
    controller.abort();
    await Promise.all([first, second]);
  });

  it("asks a target that is left, whatever number of queues were full before", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b", "c"],
      sections: { a: "max_connections: 1", b: "max_connections: 1" },
      yaml: `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }] }, { targets: [{ model: c/m }] }]
    attempts: { max: 1 }
limits: { max_queue_per_provider: 0 }
`,
    });
    const controller = new AbortController();
    const { signal } = controller;
    for (const upstream of [at.a, at.b]) upstream.plays(stalls);
    const busy = ["a/m", "b/m"].map((model) => call(form, { model, signal }));
    await Promise.all([at.a.received(1), at.b.received(1)]);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "c", reason: "", warnings: ["FELL_BACK"] });
    expect([...got.recorded].sort()).toEqual(["a/m QUEUE_FULL", "b/m QUEUE_FULL", "c/m"]);
    controller.abort();
    await Promise.all(busy);
  });

  it("moves the call to a larger context window, past those that are not larger", async () => {
    const targets = ["a", "b", "c"].map((name) => `{ targets: [{ model: ${name}/m }] }`).join(", ");
    const { call, at } = await startRouted({
      providers: ["a", "b", "c"],
      yaml: `routes: { r: { tiers: [${targets}] } }
models: { a/m: { context_window: 8000 }, b/m: { context_window: 8000 }, c/m: { context_window: 200000 } }
`,
    });
    at.a.plays(
      rejects(400, { code: "context_length_exceeded", message: "This model's maximum context length is 8000" }),
    );
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "c", reason: "", warnings: ["FELL_BACK"] });
    expect(got.recorded).toEqual(["a/m CONTEXT_LENGTH_EXCEEDED", "c/m"]);
    expect(at.b.requests).toHaveLength(0);
    at.c.plays(rejects(400, { code: "context_length_exceeded" }));
    expect(await call(form, { model: "r" })).toMatchObject({
      reason: "CONTEXT_LENGTH_EXCEEDED",
      recorded: ["a/m CONTEXT_LENGTH_EXCEEDED", "c/m CONTEXT_LENGTH_EXCEEDED"],
    });
  });

  it("does not hide a mistake of the request, which every target rejects", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    const parameters = create(GenerationParametersSchema, { temperature: 9 });
    const got = await call(form, { model: "r", parameters, body: { temperature: 9 } });
    expect(got).toMatchObject({ reason: "INVALID_REQUEST", recorded: [] });
    expect(got.fields.join()).toContain("temperature");
    expect(at.a.requests.length + at.b.requests.length).toBe(0);
  });
});

describe("a target that cannot serve a request", () => {
  const seeded = { parameters: create(GenerationParametersSchema, { seedValue: { case: "seed", value: 7n } }) };
  const picky = `${route()}models: { a/m: { unsupported_parameters: [parameters.seed] } }\n`;

  it("is not used under strict_parameters if it would drop a parameter", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: picky });
    const strict = await call("gRPC unary", { model: "r", ...seeded, strictParameters: true });
    expect(strict).toMatchObject({ text: "b", recorded: ["b/m"], warnings: ["FELL_BACK"] });
    const lenient = await call("gRPC unary", { model: "r", ...seeded });
    expect(lenient).toMatchObject({ text: "a", recorded: ["a/m"] });
    expect(lenient.warnings).toContain("UNSUPPORTED_PARAMETER");
    expect(JSON.parse((await at.b.received(1)).body).seed).toBe(7);
  });

  it("gives its reason if no other is left", async () => {
    const { call } = await startRouted({
      providers: ["a", "b"],
      yaml: `${route()}models:
  a/m: { unsupported_parameters: [parameters.seed] }
  b/m: { unsupported_parameters: [parameters.seed] }
`,
    });
    const got = await call("gRPC unary", { model: "r", ...seeded, strictParameters: true });
    expect(got).toMatchObject({ reason: "UNSUPPORTED_PARAMETER", recorded: [] });
    expect(got.fields).toEqual(["chat.parameters.seed"]);
  });

  it("is not used for another provider's tool", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      dialects: { a: "groq", b: "groq" },
      yaml: route(),
    });
    const kind = { case: "providerTool", value: { provider: "b", type: "browser_search" } } as const;
    const got = await call("gRPC stream", { model: "r", tools: [create(ToolSchema, { kind })] });
    expect(got).toMatchObject({ text: "b", reason: "", recorded: ["b/m"], warnings: ["FELL_BACK", "PRICE_UNKNOWN"] });
    expect(at.a.requests).toHaveLength(0);
    // A function is for any target.
    expect(
      await call("gRPC stream", { model: "r", tools: [create(ToolSchema, functionTool({ name: "f" }))] }),
    ).toMatchObject({ text: "a" });
  });

  it("is not used if it is a deployment of another account, and does not say that it exists", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      yaml: `routes: { r: { tiers: [{ targets: [{ model: deployments/d }] }, { targets: [{ model: b/m }] }] } }
deployments: { d: { model: a/m, account: owner, profile: plain } }
`,
    });
    expect(await call("gRPC unary", { model: "r", accountId: "owner" })).toMatchObject({
      text: "a",
      recorded: ["a/m"],
    });
    const other = await call("gRPC unary", { model: "r", accountId: "other" });
    expect(other).toMatchObject({ text: "b", recorded: ["b/m"] });
    expect(at.a.requests).toHaveLength(1);
    at.b.plays(rejects(503));
    const failed = await call("gRPC unary", { model: "r", accountId: "other" });
    expect(failed.recorded.every((attempt) => attempt === "b/m PROVIDER_UNAVAILABLE")).toBe(true);
  });

  it("is not used if its provider is not configured", async () => {
    const yaml = "routes: { r: { tiers: [{ targets: [{ model: openai/gpt-4o }] }, { targets: [{ model: a/m }] }] } }";
    const { call } = await startRouted({ providers: ["a"], yaml });
    const got = await call("gRPC unary", { model: "r" });
    expect(got).toMatchObject({ text: "a", recorded: ["a/m"], warnings: ["FELL_BACK"] });
    expect(got.fellBack[0]).toContain("openai/gpt-4o cannot serve the request (PROVIDER_NOT_CONFIGURED)");
  });
});
