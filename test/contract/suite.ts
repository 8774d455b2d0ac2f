import { gzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { type ChatCompletion, ChatCompletionSchema, FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { Modality } from "../../src/gen/dragoman/v1/modality_pb.js";
import { applyAdaptations } from "../support/planning.ts";
import type { Script } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import {
  bytesOf,
  cases,
  type Dialect,
  type Form,
  forms,
  formsOf,
  headingOf,
  isApplicable,
  isBytes,
  resultOf,
  wireOf,
} from "./dialect.ts";
import { replayRequest } from "./replay-request.ts";
import { expectCompletion, fieldOf, run, startStage } from "./run.ts";
import { describeUsage } from "./usage.ts";

const never = new Promise<never>(() => {});
const offline = "http://127.0.0.1:9";

const filtered = { message: "It was filtered.", type: null, param: "prompt" };

/** Errors of content filters in the common shape, which a proxy may send for any provider. */
const filterErrors = [
  {
    status: 400,
    body: {
      error: { ...filtered, code: "content_filter", status: 400, innererror: { code: "ResponsibleAIPolicyViolation" } },
    },
  },
  {
    status: 400,
    body: { error: { ...filtered, code: null, status: 400, innererror: { code: "ResponsibleAIPolicyViolation" } } },
  },
  { status: 400, body: { error: { ...filtered, code: "invalid_prompt" } } },
  { status: 403, body: { error: { ...filtered, type: "content_policy_violation" } } },
];

const json = { name: "answer", schemaJson: '{"type":"object","properties":{},"additionalProperties":false}' };

/** Output that some APIs cannot stream. */
const wholeOutputs = [
  { outputFormat: { format: { case: "jsonObject", value: {} } } },
  { outputFormat: { format: { case: "jsonSchema", value: json } } },
  ...["", "audio/pcm", "audio/wav", "audio/mpeg"].map((mediaType) => ({
    responseModalities: [Modality.TEXT, Modality.AUDIO],
    audioOutput: { voice: "alloy", mediaType },
  })),
] as const satisfies readonly Parameters<typeof ask>[2][];

/** Returns the cases of a provider API that have bytes in a form. */
export const answersOf = (dialect: Dialect, form: Form) =>
  cases.flatMap((name) => {
    const entry = dialect.answers[name];
    const wire = wireOf(dialect, form, name);
    const request = isApplicable(entry) ? ask(dialect.model.id, "hello", entry.request) : undefined;
    return isApplicable(entry) && request && isBytes(wire) ? [{ name, entry, request, wire }] : [];
  });

/** Declares all contract tests of one provider API, for each of its forms. */
export function describeDialect(dialect: Dialect): void {
  describe(headingOf(dialect), () => {
    for (const form of formsOf(dialect)) describeForm(dialect, form);
    describeForms(dialect);
    describeRequests(dialect);
    describe("usage", () => describeUsage(dialect));
  });
}

function describeForm(dialect: Dialect, form: Form): void {
  const hello = ask(dialect.model.id, "hello");
  const answers = answersOf(dialect, form);

  // Does not use it.each, which would truncate the names that the matrix looks up.
  for (const { name, entry, request, wire } of answers) {
    it(resultOf(name, form), async () => {
      await using stage = await startStage(dialect, form, { steps: [{ write: wire }] });
      expectCompletion(await run(stage, dialect, form, request), entry);
    });
  }

  it(`rejects a truncated response, ${form}`, async () => {
    for (const { request, wire } of answers) {
      const begun = Buffer.from(wire).subarray(0, Math.ceil(Buffer.from(wire).length / 3));
      await using stage = await startStage(dialect, form, { steps: [{ write: begun }, { cut: true }] });
      const { events, error } = await run(stage, dialect, form, request);
      expect(events).not.toContain("completed");
      expect(["PROVIDER_STREAM_INTERRUPTED", "PROVIDER_UNAVAILABLE"]).toContain(error?.reason);
    }
  });

  describe(`errors before output, ${form}`, () => {
    it.each(dialect.errors)(`maps $name to $reason, ${form}`, async ({
      status,
      headers,
      body,
      reason,
      code,
      retryAfterMs,
    }) => {
      const isText = typeof body === "string";
      await using stage = await startStage(dialect, form, {
        status,
        headers: { "content-type": isText ? "text/html" : "application/json", ...headers },
        steps: [{ write: isText ? body : JSON.stringify(body) }],
      });
      const { events, error } = await run(stage, dialect, form, hello);
      expect(events).toEqual([]);
      expect(error).toMatchObject({ reason });
      expect(error?.facts.provider).toMatchObject({ provider: dialect.name, httpStatus: status, outputStarted: false });
      if (code !== undefined) expect(error?.facts.provider?.code).toBe(code);
      expect(error?.facts.retryAfterMs).toBe(retryAfterMs);
    });
  });

  it(`reports an error of a content filter as a finish reason, ${form}`, async () => {
    for (const { status, body } of filterErrors) {
      // An error inside a stream has the API's own events, so that only a whole response has this one.
      for (const sent of form === "whole" ? [status, 200] : [status]) {
        const script = { status: sent, headers: { "content-type": "application/json" } };
        await using stage = await startStage(dialect, form, { ...script, steps: [{ write: JSON.stringify(body) }] });
        const { completion, error } = await run(stage, dialect, form, hello);
        expect(error).toBeUndefined();
        expect(completion.choices).toMatchObject([{ finishReason: FinishReason.CONTENT_FILTER }]);
        expect(completion.choices[0]?.providerFinishReason).not.toBe("");
      }
    }
  });

  it(`reads a compressed response, ${form}`, async () => {
    const [{ wire, entry, request } = expect.fail("the provider API has no plain text case")] = answers;
    const script = { headers: { "content-encoding": "gzip" }, steps: [{ write: gzipSync(wire) }] };
    await using stage = await startStage(dialect, form, script);
    expectCompletion(await run(stage, dialect, form, request), entry);
  });

  it(`names a page and a redirect that come in place of a response, ${form}`, async () => {
    const page = { headers: { "content-type": "text/html" }, steps: [{ write: "<!doctype html><p>Sign in</p>" }] };
    const moved = { status: 302, headers: { location: "https://login.example/" } };
    for (const [script, names] of [
      [page, /an HTML page: is base_url right/],
      [moved, /redirects to login\.example/],
    ] as const) {
      await using stage = await startStage(dialect, form, script);
      expect((await run(stage, dialect, form, hello)).error?.message).toMatch(names);
    }
  });

  it(`aborts the upstream request on cancellation, ${form}`, async () => {
    const [{ wire, request } = expect.fail("the provider API has no plain text case")] = answers;
    const begun = Buffer.from(wire).subarray(0, Math.ceil(Buffer.from(wire).length / 2));
    const scripts: readonly Script[] = [{ holdHeaders: never }, { steps: [{ write: begun }, { hold: never }] }];
    for (const script of scripts) {
      await using stage = await startStage(dialect, form, script);
      const controller = new AbortController();
      const arrived = stage.upstream.nextRequest();
      const outcome = run(stage, dialect, form, request, controller.signal);
      const { aborted } = await arrived;
      controller.abort(new GatewayError("CANCELLED", "the caller cancelled the call"));
      await aborted;
      expect((await outcome).error?.reason).toBe("CANCELLED");
    }
  });

  it(`follows no redirects, to keep the API key on one host, ${form}`, async () => {
    await using stage = await startStage(dialect, form, { status: 307, headers: { location: "/elsewhere" } });
    const { error } = await run(stage, dialect, form, hello);
    expect(error?.facts.provider?.httpStatus).toBe(307);
    expect(stage.upstream.requests).toHaveLength(1);
  });

  it(`sends the model's message back with its provider state, ${form}`, async () => {
    const { replay } = dialect;
    const wire = bytesOf(dialect, form, replay);
    if (!isBytes(wire)) return expect.fail(`the replay case has no ${form} form: ${wire.why}`);
    await using stage = await startStage(dialect, form, { steps: [{ write: wire }] }, { holdHeaders: never });
    const first = await run(stage, dialect, form, hello);
    expect(first.error).toBeUndefined();
    expect(first.completion.choices[0]?.finishReason).not.toBe(FinishReason.UNSPECIFIED);
    const arrived = stage.upstream.nextRequest();
    const controller = new AbortController();
    const next = replayRequest(dialect.model.id, first.completion, replay.results ?? {});
    const second = run(stage, dialect, form, next, controller.signal);
    const { body } = await arrived;
    controller.abort(new GatewayError("CANCELLED", "the test has read the request"));
    await second;
    expect(JSON.parse(body)[replay.field]).toEqual(replay.sent);
  });

  if (form === "streamed") describeStream(dialect);
  else describeWhole(dialect);
}

/** Error event of a content filter, in the common shape. */
const filterEvent = `data: ${JSON.stringify({ type: "error", error: { ...filtered, code: "content_filter" } })}\n\n`;

/** Returns the completion that a stream of server-sent events makes if a content filter's error follows it. */
async function filteredAfter(dialect: Dialect, wire: string): Promise<ChatCompletion> {
  await using stage = await startStage(dialect, "streamed", { steps: [{ write: wire + filterEvent }] });
  const { completion, error } = await run(stage, dialect, "streamed", ask(dialect.model.id, "hello"));
  expect(error).toBeUndefined();
  return completion;
}

/** Declares the tests of streams only: errors after output. */
function describeStream(dialect: Dialect): void {
  it("keeps text, finish reasons and usage that precede an error of a content filter", async () => {
    const entry = dialect.answers["usage in the last chunk"];
    if (!isApplicable(entry) || typeof entry.wire !== "string") return;
    // Without the event that ends the stream, if there is one.
    const events = entry.wire.split(/(?<=\n\n)/).filter((event) => !/\[DONE\]|message_stop|message-end/.test(event));
    let before = "";
    let isTold = false;
    for (const event of ["", ...events]) {
      before += event;
      const { choices, usage } = await filteredAfter(dialect, before);
      const [choice = expect.fail("the response has no choice")] = choices;
      if (event === "") expect(choice.finishReason).toBe(FinishReason.CONTENT_FILTER);
      else expect(choice.finishReason).not.toBe(FinishReason.UNSPECIFIED);
      isTold ||= /"(usage|usageMetadata)":\{/.test(event);
      if (isTold) expect(usage?.inputTokens).toBeGreaterThan(0);
    }
    const whole = create(ChatCompletionSchema, entry.completion).choices[0]?.message;
    expect((await filteredAfter(dialect, before)).choices[0]?.message).toEqual(whole);
  });

  describe("errors after output", () => {
    it.each(dialect.failures)("fails after output on $name", async ({ wire, reason }) => {
      await using stage = await startStage(dialect, "streamed", { steps: [{ write: wire }] });
      const { events, error } = await run(stage, dialect, "streamed", ask(dialect.model.id, "hello"));
      expect(events).toContain("delta");
      expect(events).not.toContain("completed");
      expect(error).toMatchObject({
        reason,
        facts: { metadata: { partial: "true" }, provider: { outputStarted: true } },
      });
    });
  });
}

/** Declares the tests of whole responses only: HTTP 200 with a body that is not a valid response. */
function describeWhole(dialect: Dialect): void {
  async function expectFailure(steps: Script["steps"] & object): Promise<void> {
    await using stage = await startStage(dialect, "whole", { steps });
    const { events, error } = await run(stage, dialect, "whole", ask(dialect.model.id, "hello"));
    expect(events).not.toContain("completed");
    expect(error, "the response must be rejected").toBeDefined();
  }
  const failures = dialect.failures.flatMap((failure) => {
    const wire = bytesOf(dialect, "whole", failure);
    return isBytes(wire) ? [{ name: failure.name, wire }] : [];
  });

  it.each(failures)("rejects a whole response with $name", async ({ wire }) => {
    await expectFailure([{ write: wire }]);
  });

  it("rejects an error body with HTTP 200", async () => {
    for (const { body } of dialect.errors) await expectFailure([{ write: JSON.stringify(body) }]);
  });
}

/** Declares the tests that compare the two forms. */
function describeForms(dialect: Dialect): void {
  it("implements `complete` if and only if `whole` has a form", () => {
    const hasComplete = dialect.create(offline).complete !== undefined;
    expect(isApplicable(dialect.whole), hasComplete ? "set `whole` to a form" : "set `whole` to a reason").toBe(
      hasComplete,
    );
  });

  if (!isApplicable(dialect.whole)) return;
  it("sends different requests for whole and streamed responses", async () => {
    const sent: string[] = [];
    for (const form of forms) {
      await using stage = await startStage(dialect, form, { status: 500 });
      await run(stage, dialect, form, ask(dialect.model.id, "hello"));
      const [{ path, body } = expect.fail("the adapter sent no request")] = stage.upstream.requests;
      sent.push(`${path} ${body}`);
    }
    expect(sent[0]).not.toBe(sent[1]);
  });
}

function describeRequests(dialect: Dialect): void {
  it("translates a request with every field into the expected JSON", () => {
    const { request, sent } = dialect.everything;
    const adapter = dialect.create(offline);
    const applied = applyAdaptations(request, adapter.checkSupport(request, dialect.model)).request;
    expect(JSON.parse(JSON.stringify(adapter.describe(applied, dialect.model)))).toEqual(sent);
  });

  it("reports output that it delivers as a whole, and only to callers that stream", () => {
    const adapter = dialect.create(offline);
    for (const fields of wholeOutputs) {
      const request = ask(dialect.model.id, "hello", fields);
      const always = adapter.checkSupport(request, dialect.model);
      if (always.some(({ kind }) => kind === "REJECTED")) continue;
      const { request: applied } = applyAdaptations(request, always);
      const found = adapter.checkStream?.(applied) ?? [];
      const isWhole = Reflect.get(Object(adapter.describe(applied, dialect.model)), "stream") === false;
      expect(found.length > 0).toBe(isWhole);
      expect(applyAdaptations(applied, found)).toMatchObject({ request: applied });
      expect(always.filter(({ message }) => /the stream/.test(message))).toEqual([]);
    }
  });

  describe("adaptations", () => {
    it.each(dialect.limited)("reports the right adaptations for $name", ({ request, adaptations }) => {
      const found = dialect.create(offline).checkSupport(request, dialect.model);
      expect(found.map((adaptation) => ({ kind: adaptation.kind, field: fieldOf(adaptation) }))).toEqual(adaptations);
      // The caller would receive only one of two adaptations of the same field.
      expect(new Set(found.map(fieldOf)).size).toBe(found.length);
    });
  });
}
