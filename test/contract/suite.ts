import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { applyAdaptations } from "../../src/chat/planning/adaptations.ts";
import { createFold } from "../../src/chat/stream/fold.ts";
import { GatewayError } from "../../src/errors.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import {
  type ChatCompletion,
  ChatCompletionSchema,
  ChoiceSchema,
  FinishReason,
} from "../../src/gen/dragoman/v1/completion_pb.js";
import { UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { type AnswerCase, cases, type Dialect, isApplicable } from "./dialect.ts";
import { replayRequest } from "./replay-request.ts";

/** How many ways of cutting an answer into reads are tried beside every single cut. */
const randomCuts = 25;

const never = new Promise<never>(() => {});

/** What an adapter made of an answer: the completion so far, and the error that ended it, if one did. */
interface Outcome {
  readonly completion: ChatCompletion;
  readonly events: readonly string[];
  readonly error: GatewayError | undefined;
}

/** Tests one dialect against everything that a provider can send. */
export function describeDialect(dialect: Dialect): void {
  describe(`the dialect of ${dialect.name} (${dialect.provenance})`, () => {
    const open: AsyncDisposable[] = [];
    afterEach(async () => {
      for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
    });

    async function start(...scripts: readonly Script[]): Promise<{ upstream: ReplayUpstream; adapter: Adapter }> {
      const withHeaders = scripts.map((script) => ({ ...script, headers: { ...dialect.headers, ...script.headers } }));
      const upstream = await startReplayUpstream(...withHeaders);
      const adapter = dialect.create(upstream.baseUrl);
      open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() }, upstream);
      return { upstream, adapter };
    }

    /** Asks as the service does: adaptations applied, the stream law guarded. */
    async function run(
      adapter: Adapter,
      request: ChatRequest,
      signal = new AbortController().signal,
    ): Promise<Outcome> {
      const limited = applyAdaptations(request, adapter.checkSupport(request, dialect.model)).request;
      const { events } = startAttempt({ model: dialect.model, adapter }, limited, { signal, whole: false });
      const fold = createFold();
      const seen: string[] = [];
      try {
        for await (const batch of events) {
          for (const event of batch) {
            fold.add(event);
            seen.push(event.case);
          }
        }
        return { completion: fold.completion, events: seen, error: undefined };
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        return { completion: fold.completion, events: seen, error };
      }
    }

    const requestOf = ({ request }: AnswerCase): ChatRequest => ask(dialect.model.id, "hello", request);
    const whole = (wire: string | Uint8Array): Script => ({ steps: [{ write: wire }] });

    function expectCompletion(outcome: Outcome, { completion }: AnswerCase): void {
      expect(outcome.error).toBeUndefined();
      const expected = create(ChatCompletionSchema, completion);
      const choices = (of: ChatCompletion) => of.choices.map((choice) => toJson(ChoiceSchema, choice));
      expect(choices(outcome.completion)).toEqual(choices(expected));
      if (expected.usage) {
        expect(outcome.completion.usage && toJson(UsageSchema, outcome.completion.usage)).toEqual(
          toJson(UsageSchema, expected.usage),
        );
      } else if (completion.usage === undefined && "usage" in completion) {
        expect(outcome.completion.usage).toBeUndefined();
      }
      if (expected.serviceTier !== "") expect(outcome.completion.serviceTier).toBe(expected.serviceTier);
      if (expected.systemFingerprint !== "") {
        expect(outcome.completion.systemFingerprint).toBe(expected.systemFingerprint);
      }
    }

    describe("reads", () => {
      for (const name of cases) {
        const entry = dialect.answers[name];
        if (!isApplicable(entry)) {
          it.skip(`${name}: not applicable, ${entry.why}`);
          continue;
        }
        it(name, async () => {
          const { adapter } = await start(whole(entry.wire));
          expectCompletion(await run(adapter, requestOf(entry)), entry);
        });
      }
    });

    const applicable = cases.map((name) => dialect.answers[name]).filter((entry) => isApplicable(entry));

    it("means the same however the bytes are cut into reads", async () => {
      for (const entry of applicable) {
        const bytes = Buffer.from(entry.wire);
        await fc.assert(
          fc.asyncProperty(fc.array(fc.nat({ max: bytes.length }), { maxLength: 6 }), async (places) => {
            const { adapter } = await start({ steps: pieces(bytes, places).map((write) => ({ write })) });
            expectCompletion(await run(adapter, requestOf(entry)), entry);
          }),
          { numRuns: randomCuts },
        );
      }
    }, 60_000);

    it("means the same for every single cut", async () => {
      const [entry] = applicable;
      if (entry === undefined) return expect.fail("a dialect has plain text");
      const bytes = Buffer.from(entry.wire);
      const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
      const { adapter } = await start(
        ...cuts.map((cut) => ({ steps: pieces(bytes, [cut]).map((write) => ({ write })) })),
      );
      for (const _ of cuts) expectCompletion(await run(adapter, requestOf(entry)), entry);
    }, 60_000);

    it("never takes an answer that was cut short for a whole one", async () => {
      for (const entry of applicable) {
        const bytes = Buffer.from(entry.wire);
        const { adapter } = await start({
          steps: [{ write: bytes.subarray(0, Math.ceil(bytes.length / 3)) }, { cut: true }],
        });
        const { events, error } = await run(adapter, requestOf(entry));
        expect(events).not.toContain("completed");
        expect(["PROVIDER_STREAM_INTERRUPTED", "PROVIDER_UNAVAILABLE"]).toContain(error?.reason);
      }
    });

    describe("translates errors before the stream", () => {
      it.each(dialect.errors)("$name is $reason", async ({ status, headers, body, reason, code, retryAfterMs }) => {
        const isText = typeof body === "string";
        const { adapter } = await start({
          status,
          headers: { "content-type": isText ? "text/html" : "application/json", ...headers },
          steps: [{ write: isText ? body : JSON.stringify(body) }],
        });
        const { events, error } = await run(adapter, ask(dialect.model.id, "hello"));
        expect(events).toEqual([]);
        expect(error).toMatchObject({ reason });
        expect(error?.facts.provider).toMatchObject({
          provider: dialect.name,
          httpStatus: status,
          outputStarted: false,
        });
        if (code !== undefined) expect(error?.facts.provider?.code).toBe(code);
        expect(error?.facts.retryAfterMs).toBe(retryAfterMs);
      });
    });

    describe("ends with a status after output began", () => {
      it.each(dialect.failures)("$name is $reason", async ({ wire, reason }) => {
        const { adapter } = await start(whole(wire));
        const { events, error } = await run(adapter, ask(dialect.model.id, "hello"));
        expect(events).toContain("delta");
        expect(events).not.toContain("completed");
        expect(error).toMatchObject({
          reason,
          facts: { metadata: { partial: "true" }, provider: { outputStarted: true } },
        });
      });
    });

    it("aborts the upstream request before its headers and in mid-stream", async () => {
      const [entry] = applicable;
      if (entry === undefined) return expect.fail("a dialect has plain text");
      const bytes = Buffer.from(entry.wire);
      const scripts: readonly Script[] = [
        { holdHeaders: never },
        { steps: [{ write: bytes.subarray(0, Math.ceil(bytes.length / 2)) }, { hold: never }] },
      ];
      for (const script of scripts) {
        const { upstream, adapter } = await start(script);
        const controller = new AbortController();
        const arrived = upstream.nextRequest();
        const outcome = run(adapter, requestOf(entry), controller.signal);
        const { aborted } = await arrived;
        controller.abort(new GatewayError("CANCELLED", "the caller cancelled the call"));
        await aborted;
        expect((await outcome).error?.reason).toBe("CANCELLED");
      }
    });

    it("follows no redirect, so that the key goes nowhere else", async () => {
      const { adapter, upstream } = await start({ status: 307, headers: { location: "/elsewhere" } });
      const { error } = await run(adapter, ask(dialect.model.id, "hello"));
      expect(error?.facts.provider?.httpStatus).toBe(307);
      expect(upstream.requests).toHaveLength(1);
    });

    const { replay } = dialect;
    if (isApplicable(replay)) {
      it("sends back exactly what the model said, with what the provider wants back", async () => {
        const [{ upstream, adapter }] = [await start(whole(replay.wire), { holdHeaders: never })];
        const first = await run(adapter, ask(dialect.model.id, "hello"));
        expect(first.error).toBeUndefined();
        expect(first.completion.choices[0]?.finishReason).not.toBe(FinishReason.UNSPECIFIED);
        const arrived = upstream.nextRequest();
        const controller = new AbortController();
        const second = run(
          adapter,
          replayRequest(dialect.model.id, first.completion, replay.results ?? {}),
          controller.signal,
        );
        const { body } = await arrived;
        controller.abort(new GatewayError("CANCELLED", "seen enough"));
        await second;
        expect(JSON.parse(body)[replay.field]).toEqual(replay.sent);
      });
    } else {
      it.skip(`sends back exactly what the model said: not applicable, ${replay.why}`);
    }

    it("translates a request with every field to exactly this JSON", () => {
      const { request, sent } = dialect.everything;
      const adapter = dialect.create("http://127.0.0.1:9");
      const limited = applyAdaptations(request, adapter.checkSupport(request, dialect.model)).request;
      expect(JSON.parse(JSON.stringify(adapter.describe(limited, dialect.model)))).toEqual(sent);
    });

    describe("says what it cannot translate", () => {
      it.each(dialect.limited)("$name", ({ request, adaptations }) => {
        const found = dialect.create("http://127.0.0.1:9").checkSupport(request, dialect.model);
        expect(found.map(({ kind, field }) => ({ kind, field }))).toEqual(adaptations);
        // Of two at one field, the caller would be told only one.
        expect(new Set(found.map(({ field }) => field)).size).toBe(found.length);
      });
    });
  });
}

/** The bytes cut at the given places, without empty pieces. */
function pieces(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set([0, ...places, bytes.length])].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}
