import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { RoutingService } from "../../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { OnInvalid, OutputFormatSchema } from "../../../src/gen/dragoman/v1/output_format_pb.js";
import { GenerationParametersSchema } from "../../../src/gen/dragoman/v1/parameters_pb.js";
import { Profile } from "../../../src/gen/dragoman/v1/profile_pb.js";
import { answers, type Play, rejects, resets } from "../../support/chat-upstream.ts";
import { forms, startRouted } from "./harness.ts";

const two = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
const route = (more = "") => `routes: { r: { tiers: ${two}, attempts: { max: 2, per_target: 1 }${more} } }\n`;

describe.each(forms)("a plain model, as %s", (form) => {
  it.each([
    ["a status 503", rejects(503), "PROVIDER_UNAVAILABLE"],
    ["a status 500", rejects(500), "PROVIDER_UNAVAILABLE"],
    ["a reset", resets, "PROVIDER_UNAVAILABLE"],
  ])("gets three attempts for %s", async (_, play, reason) => {
    const { call, at } = await startRouted({ providers: ["a"], yaml: "breaker: { consecutive: 100, min_calls: 100 }" });
    at.a.plays(play);
    const got = await call(form, { model: "a/m" });
    const attempts = Array.from({ length: 3 }, () => `a/m ${reason}`);
    expect(got).toMatchObject({ reason, recorded: attempts, attempts });
    expect(at.a.requests).toHaveLength(3);
    at.a.plays(play, play, answers("third"));
    expect(await call(form, { model: "a/m" })).toMatchObject({ text: "third", reason: "", warnings: [] });
  });

  it.each([400, 404, 413, 422])("gets one attempt for a status %i", async (status) => {
    const { call, at } = await startRouted({ providers: ["a"] });
    at.a.plays(rejects(status));
    const got = await call(form, { model: "a/m" });
    expect(got.reason).not.toBe("");
    expect(got.recorded).toHaveLength(1);
    expect(at.a.requests).toHaveLength(1);
  });
});

describe.each(forms)("inside a route, as %s", (form) => {
  it("a default that a target rejects is left out in a second request to the same target", async () => {
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml: route(", profile: cerebras") });
    const wrong = JSON.stringify({
      error: {
        message: "It is wrong.",
        type: "invalid_request_error",
        param: "temperature",
        code: "unsupported_value",
      },
    });
    const reject: Play = () => ({
      status: 400,
      headers: { "content-type": "application/json" },
      steps: [{ write: wrong }],
    });
    at.a.plays(rejects(503));
    at.b.plays(reject, answers("b"));
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "" });
    expect(got.recorded).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m INVALID_REQUEST", "b/m"]);
    expect(got.warnings).toEqual(expect.arrayContaining(["FELL_BACK", "LEARNED"]));
    expect(at.b.requests.map(({ body }) => JSON.parse(body).temperature)).toEqual([1, undefined]);
    const { targets } = await service.client(RoutingService, "grpc").listTargets({ route: "r" });
    expect(targets.map(({ name, learnedParameters }) => [name, learnedParameters.map(({ field }) => field)])).toEqual([
      ["a/m", []],
      ["b/m", ["parameters.temperature"]],
    ]);
    // Each target learns for itself.
    at.a.plays(answers("a"));
    await call(form, { model: "r" });
    expect(JSON.parse(at.a.requests.at(-1)?.body ?? "{}").temperature).toBe(1);
  });

  it("the route's profile applies", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route(", profile: cerebras") });
    const got = await call(form, { model: "r" });
    expect(got.record.profile).toBe("cerebras");
    expect(JSON.parse((await at.a.received(1)).body).temperature).toBe(1);
    if (form === "gRPC unary") expect(got.completion?.profile).toBe(Profile.CEREBRAS);
    expect((await call(form, { model: "a/m" })).record.profile).toBe("plain");
  });

  it("output that is no JSON fails the call, and moves nowhere", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    at.a.plays(answers("not json"));
    const outputFormat = create(OutputFormatSchema, { format: { case: "jsonObject", value: {} } });
    const got = await call(form, { model: "r", outputFormat, body: { response_format: { type: "json_object" } } });
    expect(got).toMatchObject({ reason: "JSON_GENERATION_FAILED", recorded: ["a/m"] });
    expect(at.b.requests).toHaveLength(0);
  });
});

const jsonFormat = create(OutputFormatSchema, {
  format: { case: "jsonObject", value: {} },
  onInvalid: OnInvalid.RETURN,
});

describe.each(["gRPC stream", "gRPC unary"] as const)("inside a route, as %s", (form) => {
  it("ON_INVALID_RETURN returns the output of a fallback that is no JSON", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: route() });
    at.a.plays(rejects(503));
    at.b.plays(answers("not json"));
    const got = await call(form, { model: "r", outputFormat: jsonFormat });
    expect(got).toMatchObject({ text: "not json", reason: "", recorded: ["a/m PROVIDER_UNAVAILABLE", "b/m"] });
    if (got.completion) expect(got.completion.choices[0]?.outputViolation?.message).toMatch(/JSON/);
  });

  it.each([
    ["the first target", "a"],
    ["a fallback", "b"],
  ])("ON_INVALID_RETURN returns the output that the provider of %s rejects", async (_, name) => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      dialects: { a: "groq", b: "groq" },
      yaml: route(),
    });
    const error = {
      message: "Failed",
      type: "invalid_request_error",
      code: "json_validate_failed",
      failed_generation: "{oops",
    };
    const reject: Play = () => ({
      status: 400,
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify({ error }) }],
    });
    if (name === "b") at.a.plays(rejects(503));
    at[name as "a"].plays(reject);
    const got = await call(form, { model: "r", outputFormat: jsonFormat });
    expect(got).toMatchObject({ text: "{oops", reason: "" });
    expect(got.record).toMatchObject({ outcome: "ok", model: `${name}/m`, provider: name });
    expect(got.recorded.at(-1)).toBe(`${name}/m JSON_GENERATION_FAILED`);
    if (name === "b") expect(got.warnings).toContain("FELL_BACK");
  });

  it("several choices with one request each fail over together", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b"],
      dialects: { a: "ollama", b: "ollama" },
      yaml: route(),
    });
    // A stream begins with the first output of any choice, and is never tried again after it.
    if (form === "gRPC stream") at.a.plays(rejects(503));
    else at.a.plays(answers("a"), rejects(503), answers("a"));
    const parameters = create(GenerationParametersSchema, { n: 3 });
    const got = await call(form, { model: "r", parameters });
    expect(got).toMatchObject({ reason: "" });
    if (got.completion) {
      expect(got.completion.choices.map(({ index, message }) => [index, message?.parts[0]?.kind.value])).toEqual([
        [0, "b"],
        [1, "b"],
        [2, "b"],
      ]);
    }
    expect(got.record.attempts.map(({ target, choiceIndex }) => [target, choiceIndex])).toEqual(
      ["a/m", "b/m"].flatMap((target) => [0, 1, 2].map((index) => [target, index])),
    );
    expect(at.b.requests).toHaveLength(3);
  });
});
