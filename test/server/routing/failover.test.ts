import { describe, expect, it } from "vitest";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createCallLog } from "../../../src/telemetry/call-log.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import {
  answers,
  begins,
  cutsInBody,
  endsEarly,
  failsInside,
  malformed,
  type Play,
  rejects,
  resets,
  resetsInBody,
  stallsInBody,
} from "../../support/chat-upstream.ts";
import { ask } from "../../support/requests.ts";
import { protocols } from "../../support/service.ts";
import { describeAttempt, forms, startRouted, streamForms, unaryForms } from "./harness.ts";

const route = (more = "") => `
routes:
  r:
    tiers: [{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }, { targets: [{ model: c/m }] }]
    attempts: { max: 3, per_target: 1 }
    ${more}`;

describe.each(forms)("a call that fails over twice, as %s", (form) => {
  it("says so in the response, the warning, the record and the log", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(rejects(503));
    at.b.plays(resets);
    const got = await call(form, { model: "r", labels: { team: "x" } });
    expect(got).toMatchObject({ text: "c", reason: "" });
    const failed = ["a/m PROVIDER_UNAVAILABLE", "b/m PROVIDER_UNAVAILABLE"];
    expect(got.attempts).toEqual([...failed, "c/m"]);
    expect(got.recorded).toEqual([...failed, "c/m"]);
    expect(got.warnings).toEqual(["FELL_BACK"]);
    expect(got.fellBack).toEqual([
      "a/m failed (PROVIDER_UNAVAILABLE), b/m failed (PROVIDER_UNAVAILABLE); c/m responds instead",
    ]);
    expect(got.record).toMatchObject({ outcome: "ok", route: "r", model: "c/m", provider: "c" });
    if (form.startsWith("gRPC")) expect(got.record.labels).toEqual({ team: "x" });
    else expect(got.headers.get("x-dragoman-target")).toBe("c/m");
    const lines: Record<string, unknown>[] = [];
    createCallLog(createLog("info", { write: (line) => void lines.push(JSON.parse(line)) })).settled?.(
      got.record,
      undefined,
    );
    expect(lines).toMatchObject([
      {
        msg: "call",
        route: "r",
        attempts: [
          { target: "a/m", outcome: "failed", failure_reason: "PROVIDER_UNAVAILABLE", http_status: 503 },
          { target: "b/m", outcome: "failed", failure_reason: "PROVIDER_UNAVAILABLE" },
          { target: "c/m", outcome: "answered" },
        ],
      },
    ]);
  });

  it("fails with the last failure and all attempts if no target responds", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    for (const upstream of Object.values(at)) upstream.plays(rejects(502));
    const got = await call(form, { model: "r" });
    const failed = ["a/m", "b/m", "c/m"].map((target) => `${target} PROVIDER_UNAVAILABLE`);
    expect(got).toMatchObject({ text: "", reason: "PROVIDER_UNAVAILABLE", attempts: failed, recorded: failed });
    expect(got.headers.get("x-dragoman-target")).toBeNull();
    expect(Object.values(at).map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  it("fails with the shortest delay that a provider requests", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    const delays = { a: 90, b: 40, c: 70 };
    for (const name of ["a", "b", "c"] as const) {
      at[name].plays(rejects(name === "b" ? 429 : 503, { headers: { "retry-after": String(delays[name]) } }));
    }
    expect(await call(form, { model: "r" })).toMatchObject({ retryMs: 40_000, reason: "PROVIDER_UNAVAILABLE" });
  });

  it("has no warning if the first target responds", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    expect(await call(form, { model: "r" })).toMatchObject({ text: "a", warnings: [], attempts: ["a/m"] });
    expect(at.b.requests).toHaveLength(0);
  });

  it("stays with a target that rejects the request, or whose content filter ends the response", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(rejects(400), rejects(404), rejects(422), rejects(400, { code: "content_filter" }));
    expect(await call(form, { model: "r" })).toMatchObject({ reason: "INVALID_REQUEST" });
    expect((await call(form, { model: "r" })).reason).not.toBe("");
    expect(await call(form, { model: "r" })).toMatchObject({ reason: "INVALID_REQUEST" });
    expect((await call(form, { model: "r" })).recorded).toHaveLength(1);
    expect(at.b.requests).toHaveLength(0);
  });
});

describe.each(forms)("a provider that cannot be reached, as %s", (form) => {
  it.each([
    ["nobody listens", "http://127.0.0.1:1", 2],
    // Its name must change first, so a second attempt cannot help.
    ["its name has no address", "http://no-such-host.invalid", 1],
  ])("is replaced if %s", async (_, url, attempts) => {
    const { call } = await startRouted({
      providers: ["b"],
      yaml: `  a: { dialect: vllm, base_url: "${url}" }
routes:
  r: { tiers: [{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }], retry: { backoff: { initial: 1ms } } }`,
    });
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", warnings: ["FELL_BACK"] });
    expect(got.recorded).toEqual([...Array.from({ length: attempts }, () => "a/m PROVIDER_UNAVAILABLE"), "b/m"]);
  });
});

describe.each(protocols)("a call over %s", (protocol) => {
  it("fails over in both forms", async () => {
    const { service, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(rejects(503));
    const chat = ask("r", "hi");
    const { completion } = await service.chatClient(protocol).completeChat({ chat });
    expect(completion?.attempts.map(describeAttempt)).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m"]);
    expect(completion?.warnings.map(({ reason }) => reason)).toEqual(["FELL_BACK"]);
    const events: string[] = [];
    for await (const { event } of service.chatClient(protocol).streamChat({ chat })) {
      events.push(event.case ?? "");
      if (event.case === "started") expect(event.value.warnings.map(({ reason }) => reason)).toEqual(["FELL_BACK"]);
      if (event.case === "completed") expect(event.value.attempts).toHaveLength(2);
    }
    expect(events).toEqual(["started", "delta", "finished", "completed"]);
  });
});

/** Failures after the headers of a response with status 200, which a unary call never sees. */
const inBody: readonly (readonly [string, Play])[] = [
  ["JSON that cannot be parsed", malformed],
  ["half a body", endsEarly],
  ["an error in the body", failsInside],
  ["a closed connection in the body", cutsInBody],
  ["a reset in the body", resetsInBody],
];

describe.each(unaryForms)("a unary call, as %s", (form) => {
  it.each(inBody)("is tried again at the next target after %s", async (_, play) => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(play);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", warnings: ["FELL_BACK"] });
    expect(got.recorded).toEqual([expect.stringMatching(/^a\/m PROVIDER_/), "b/m"]);
  });

  it.each(inBody)("is tried again at its only model after %s", async (_, play) => {
    const { call, at } = await startRouted({ providers: ["a"] });
    at.a.plays(play, answers("second"));
    const got = await call(form, { model: "a/m" });
    expect(got).toMatchObject({ text: "second", reason: "", warnings: [] });
    expect(got.recorded).toEqual([expect.stringMatching(/^a\/m PROVIDER_/), "a/m"]);
  });

  it("has the tokens that a broken response has used in its attempt, and not in the response's usage", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(cutsInBody);
    const { record, completion } = await call(form, { model: "r" });
    const [broken, answered] = record.attempts;
    expect(broken?.usage).toMatchObject({ quality: UsageQuality.PARTIAL });
    expect(broken?.usage?.outputTokens).toBeGreaterThan(0);
    expect(answered?.usage).toMatchObject({ totalTokens: 5, quality: UsageQuality.EXACT });
    expect(record.usage).toMatchObject({ totalTokens: 5 });
    if (completion) expect(completion.usage).toMatchObject({ totalTokens: 5 });
  });

  it("is tried again after a stall in the body, as the route's idle timeout says", async () => {
    const { call, at } = await startRouted({
      providers: ["a", "b", "c"],
      yaml: route("timeouts: { idle: 300ms }"),
    });
    at.a.plays(stallsInBody);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "" });
    expect(got.recorded).toEqual(["a/m PROVIDER_TIMEOUT", "b/m"]);
    await (await at.a.received(1)).aborted;
  });
});

describe.each(streamForms)("a stream, as %s", (form) => {
  it.each([
    ["an error in the body", failsInside],
    ["JSON that cannot be parsed", malformed],
  ])("is tried again after %s that comes before the first delta", async (_, play) => {
    const { call, at } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(play);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "b", reason: "", warnings: ["FELL_BACK"] });
  });

  it.each([
    ["a cut", cutsInBody],
    ["a reset", resetsInBody],
    ["an early end", endsEarly],
    ["JSON that cannot be parsed", begins("half ", { write: 'data: {"choices": [{"ind\n\n' })],
    ["an error", begins("half ", { write: 'data: {"error": {"message": "no", "code": "server_error"}}\n\n' })],
  ])("is never tried again after its first delta: %s", async (_, play) => {
    const { call, at, service } = await startRouted({ providers: ["a", "b", "c"], yaml: route() });
    at.a.plays(play);
    const got = await call(form, { model: "r" });
    expect(got).toMatchObject({ text: "half ", reason: "PROVIDER_STREAM_INTERRUPTED" });
    if (form.startsWith("gRPC")) expect(got.partial).toBe(true);
    expect(got.recorded).toEqual(["a/m PROVIDER_STREAM_INTERRUPTED"]);
    expect(at.b.requests).toHaveLength(0);
    const [target] = service.routing.targets("r");
    expect(target).toMatchObject({ name: "a/m", failureRatio: 1 });
  });
});
