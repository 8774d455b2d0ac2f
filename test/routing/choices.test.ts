import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seedValue } from "../../src/chat/planning/seed.ts";
import { type ChatEvent, completed, finished, started, textDelta } from "../../src/chat/stream/events.ts";
import { createFold } from "../../src/chat/stream/fold.ts";
import { createStreamValidator } from "../../src/chat/stream/stream-validator.ts";
import { GatewayError } from "../../src/errors.ts";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type ChatCompletion, FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { WarningSchema } from "../../src/gen/dragoman/v1/warning_pb.js";
import type { Adapter, AdapterContext } from "../../src/providers/adapter.ts";
import { choiceAdaptations, runOnTarget } from "../../src/routing/choices.ts";
import { lawfulEvents } from "../support/lawful-events.ts";
import { applyAdaptations } from "../support/planning.ts";
import { ask } from "../support/requests.ts";

const model: Model = create(ModelSchema, { id: "scripted/one", provider: "scripted", providerModel: "one" });

/** Step of a scripted upstream request: a batch to yield, a promise to await or an error to throw. */
type Act = readonly ChatEvent[] | Promise<unknown> | GatewayError;

interface Scripted extends Adapter {
  readonly requests: ChatRequest[];
  readonly contexts: AdapterContext[];
  /** Number of batches that were read from each upstream request. */
  readonly pulled: number[];
  /** Indexes of the upstream requests that ended or were abandoned. */
  readonly ended: number[];
}

/** Creates a provider that returns one choice per request and plays one script per request, in order. */
function scripted(...scripts: readonly (readonly Act[])[]): Scripted {
  const requests: ChatRequest[] = [];
  const contexts: AdapterContext[] = [];
  const pulled = scripts.map(() => 0);
  const ended: number[] = [];
  return {
    name: "scripted",
    maxChoices: 1,
    requests,
    contexts,
    pulled,
    ended,
    checkSupport: () => [],
    describe: () => undefined,
    stream(request, _model, context) {
      const index = requests.push(request) - 1;
      contexts.push(context);
      return play(scripts[index] ?? [], index, context);
    },
  };

  async function* play(script: readonly Act[], index: number, { signal }: AdapterContext) {
    try {
      for (const act of script) {
        if (act instanceof GatewayError) throw act;
        if (act instanceof Promise) await Promise.race([act, aborted(signal)]);
        signal.throwIfAborted();
        if (Array.isArray(act)) {
          pulled[index] = (pulled[index] ?? 0) + 1;
          yield act;
        }
      }
    } finally {
      ended.push(index);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

const never = new Promise<never>(() => {});
const stop = finished(0, FinishReason.STOP, "stop");
const usage = (inputTokens: number, outputTokens: number, quality = UsageQuality.EXACT) =>
  create(UsageSchema, { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, quality });
const says = (text: string): readonly Act[] => [
  [started()],
  [textDelta(0, 0, text)],
  [stop, completed({ usage: usage(3, 1) })],
];

function attempt(adapter: Adapter, n: number, more: object = {}, signal = new AbortController().signal) {
  const request = ask("scripted/one", "hi", { parameters: { n, ...more } });
  return runOnTarget({ model, adapter }, request, { signal, holder: "account:a", whole: false });
}

async function collect(batches: AsyncIterable<readonly ChatEvent[]>): Promise<readonly ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const batch of batches) events.push(...batch);
  return events;
}

function fold(events: readonly ChatEvent[]): ChatCompletion {
  const folded = createFold();
  for (const event of events) folded.add(event);
  return folded.completion;
}

/** Lawful stream of one choice, split into batches. */
const oneChoice = fc
  .tuple(
    lawfulEvents,
    fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }),
    fc.record({
      input: fc.integer({ min: 1, max: 999 }),
      output: fc.integer({ min: 1, max: 999 }),
      quality: fc.constantFrom(UsageQuality.EXACT, UsageQuality.ESTIMATED, UsageQuality.PARTIAL),
    }),
  )
  .map(([events, sizes, { input, output, quality }]) => {
    const own: ChatEvent[] = events.flatMap((event): readonly ChatEvent[] => {
      if (event.case === "completed") return [completed({ usage: usage(input, output, quality) })];
      const ofOther = (event.case === "delta" || event.case === "finished") && event.value.choiceIndex !== 0;
      return ofOther ? [] : [event];
    });
    const batches: (readonly ChatEvent[])[] = [];
    let rest = own;
    for (const size of [...sizes, own.length]) {
      if (rest.length > 0) batches.push(rest.slice(0, size));
      rest = rest.slice(size);
    }
    return { events: own, batches, usage: usage(input, output, quality) };
  });

describe("several choices from a provider that returns one per request", () => {
  it("merges streams lawfully: choice i folds to the same result as request i alone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(oneChoice, { minLength: 2, maxLength: 8 }), async (calls) => {
        const adapter = scripted(...calls.map(({ batches }) => batches));
        const events = await collect(attempt(adapter, calls.length).events);
        const guard = createStreamValidator();
        for (const event of events) guard.accept(event);
        guard.end();
        const { choices } = fold(events);
        expect(choices).toEqual(calls.map(({ events: own }, index) => ({ ...fold(own).choices[0], index })));
      }),
    );
  });

  it("sums the usage of all requests and reports the worst usage quality", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(oneChoice, { minLength: 2, maxLength: 8 }), async (calls) => {
        const { usage: total } = fold(
          await collect(attempt(scripted(...calls.map(({ batches }) => batches)), calls.length).events),
        );
        const sum = (count: "inputTokens" | "outputTokens" | "totalTokens") =>
          calls.reduce((all, call) => all + call.usage[count], 0);
        expect(total).toMatchObject({
          inputTokens: sum("inputTokens"),
          outputTokens: sum("outputTokens"),
          totalTokens: sum("totalTokens"),
          quality: Math.max(...calls.map((call) => call.usage.quality)),
        });
      }),
    );
  });

  it("estimates the usage of a request whose response has none", async () => {
    const silent: readonly Act[] = [[started()], [textDelta(0, 0, "12345678"), stop, completed()]];
    const { usage: total } = fold(await collect(attempt(scripted(says("a"), silent), 2).events));
    expect(total).toMatchObject({ inputTokens: 3 + 8, outputTokens: 1 + 2, quality: UsageQuality.ESTIMATED });
  });

  it("sends one request per choice, each with a different seed near the caller's", async () => {
    const seeds = async (seed: bigint) => {
      const adapter = scripted(says("a"), says("b"), says("c"));
      await collect(attempt(adapter, 3, { seedValue: seedValue(seed) }).events);
      expect(adapter.requests.map(({ parameters }) => parameters?.n)).toEqual([undefined, undefined, undefined]);
      return adapter.requests.map(({ parameters }) => parameters?.seedValue.value);
    };
    expect(await seeds(0n)).toEqual([0n, 1n, 2n]);
    expect(await seeds(2n ** 64n - 1n)).toEqual([2n ** 64n - 1n, 2n ** 64n - 2n, 2n ** 64n - 3n]);
    expect(await seeds(-(2n ** 63n))).toEqual([-(2n ** 63n), -(2n ** 63n) + 1n, -(2n ** 63n) + 2n]);
  });

  it("reports a warning of several requests once", async () => {
    const warning = create(WarningSchema, { reason: "INFERRED", message: "no finish reason" });
    const warns: readonly Act[] = [[started()], [stop, completed({ warnings: [warning] })]];
    expect(fold(await collect(attempt(scripted(warns, warns), 2).events)).warnings).toEqual([warning]);
  });

  it("sends one request if the provider supports the number of choices", async () => {
    const adapter = { ...scripted(says("a")), maxChoices: 4 };
    await collect(attempt(adapter, 4).events);
    expect(adapter.requests).toHaveLength(1);
    expect(adapter.requests[0]?.parameters?.n).toBe(4);
  });
});

describe("a content filter's error", () => {
  const filtered = new GatewayError("INVALID_REQUEST", "filtered", { contentFilter: "content_filter" });

  async function outcome(script: readonly Act[], stops: readonly string[] = []): Promise<ChatCompletion> {
    const adapter = scripted(script);
    const fold = createFold();
    const options = { signal: new AbortController().signal, holder: "a", whole: false, stops };
    for await (const batch of runOnTarget({ model, adapter }, ask(model.id, "hello"), options).events) {
      for (const event of batch) fold.add(event);
    }
    return fold.completion;
  }
  const texts = ({ choices }: ChatCompletion) =>
    choices.map(({ message }) => message?.parts.map(({ kind }) => (kind.case === "text" ? kind.value : kind.case)));

  it("loses no text that is held back for a stop sequence or for the other half of a character", async () => {
    const answer = [started(), textDelta(0, 0, "one EN"), textDelta(1, 0, "EN"), textDelta(2, 0, "half \ud83d")];
    const held = await outcome([answer, filtered], ["END"]);
    expect(texts(held)).toEqual([["one EN"], ["EN"], ["half \ufffd"]]);
    expect(held.choices.map(({ finishReason }) => finishReason)).toEqual(Array(3).fill(FinishReason.CONTENT_FILTER));
  });

  it("does not change the finish reason of a choice that had ended", async () => {
    const ended = finished(1, FinishReason.LENGTH, "length");
    const { choices } = await outcome([[started(), textDelta(0, 0, "a"), textDelta(1, 0, "b"), ended], filtered]);
    expect(choices.map(({ finishReason }) => finishReason)).toEqual([FinishReason.CONTENT_FILTER, FinishReason.LENGTH]);
  });
});

describe("merged choices", () => {
  it("keep the metadata of every request: what is the same once, the rest by choice", async () => {
    const end = (providerMetadataJson: string) => [stop, completed({ providerMetadataJson })];
    const scripts = ['{"filters":"none","id":"a"}', '{"filters":"none"}', '{"filters":"none","id":"c"}'].map((json) => [
      [started(), textDelta(0, 0, "x"), ...end(json)],
    ]);
    const fold = createFold();
    const request = ask(model.id, "hello", { parameters: { n: 3 } });
    const options = { signal: new AbortController().signal, holder: "a", whole: false };
    for await (const batch of runOnTarget({ model, adapter: scripted(...scripts) }, request, options).events) {
      for (const event of batch) fold.add(event);
    }
    expect(JSON.parse(fold.completion.providerMetadataJson)).toEqual({
      filters: "none",
      choices: [
        { index: 0, id: "a" },
        { index: 2, id: "c" },
      ],
    });
  });

  it("starts the merged stream with the first output", async () => {
    const adapter = scripted([[started()], never], says("b"));
    const events = attempt(adapter, 2).events[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject([{ case: "started" }, { case: "delta" }]);
    await events.return?.();
    expect(adapter.ended.toSorted()).toEqual([0, 1]);
  });

  it("delivers other choices while one request is slow", async () => {
    const adapter = scripted([[started()], never], says("b"));
    const seen: string[] = [];
    for await (const batch of attempt(adapter, 2).events) {
      seen.push(...batch.map((event) => event.case));
      if (seen.includes("finished")) break;
    }
    expect(seen).toEqual(["started", "delta", "finished"]);
  });

  it("reads at most one batch of each request ahead of the consumer", async () => {
    const long: readonly Act[] = [[started()], ...Array.from({ length: 50 }, () => [textDelta(0, 0, "x")])];
    const adapter = scripted(long, long, long);
    const events = attempt(adapter, 3).events[Symbol.asyncIterator]();
    for (let pulls = 1; pulls <= 10; pulls++) {
      await events.next();
      await new Promise((resolve) => setImmediate(resolve));
      // The first pull reads two batches, because `started` is held back until the first output.
      for (const count of adapter.pulled) expect(count).toBeLessThanOrEqual(pulls + 1);
    }
    await events.return?.();
    expect(adapter.ended.toSorted()).toEqual([0, 1, 2]);
  });

  it("fails with the first failure and aborts the other requests", async () => {
    const failure = new GatewayError("PROVIDER_RATE_LIMITED", "too many");
    const adapter = scripted(says("a"), [failure], [[started()], never]);
    const { attempts, events, outputCharacters } = attempt(adapter, 3);
    await expect(collect(events)).rejects.toMatchObject({ reason: "PROVIDER_RATE_LIMITED" });
    expect(outputCharacters).toBe(0);
    expect(attempts.map(({ failureReason }) => failureReason)).toEqual([
      ...["CANCELLED", "PROVIDER_RATE_LIMITED", "CANCELLED"],
    ]);
    expect(adapter.contexts.every(({ signal }) => signal.aborted)).toBe(true);
    expect(adapter.ended.toSorted()).toEqual([0, 1, 2]);
  });

  it("marks a failure as partial if another choice already had output", async () => {
    const shown = Promise.withResolvers<void>();
    const failure = new GatewayError("PROVIDER_STREAM_INTERRUPTED", "cut");
    const adapter = scripted([[started()], [textDelta(0, 0, "a")], never], [[started()], shown.promise, failure]);
    const reading = (async () => {
      for await (const batch of attempt(adapter, 2).events) {
        if (batch.some((event) => event.case === "delta")) shown.resolve();
      }
    })();
    await expect(reading).rejects.toMatchObject({
      reason: "PROVIDER_STREAM_INTERRUPTED",
      facts: { metadata: { partial: "true" }, provider: { outputStarted: true } },
    });
    expect(adapter.ended.toSorted()).toEqual([0, 1]);
  });

  it("reports any request that ends early as an interrupted stream", async () => {
    for (const scripts of [
      [[[started()]], says("b")],
      [says("a"), [[started()], [textDelta(0, 0, "b")]]],
    ]) {
      await expect(collect(attempt(scripted(...scripts), 2).events)).rejects.toMatchObject({
        reason: "PROVIDER_STREAM_INTERRUPTED",
      });
    }
  });

  it("fails if the response to one request has two choices", async () => {
    const two: readonly Act[] = [[started()], [stop, finished(1, FinishReason.STOP, "stop"), completed()]];
    await expect(collect(attempt(scripted(says("a"), two), 2).events)).rejects.toBeInstanceOf(GatewayError);
  });

  it("ends every request with the abort reason of the call", async () => {
    const controller = new AbortController();
    const waiting: readonly Act[] = [[started()], [textDelta(0, 0, "a")], never];
    const adapter = scripted(waiting, waiting, waiting);
    const events = attempt(adapter, 3, {}, controller.signal).events[Symbol.asyncIterator]();
    await events.next();
    const rest = events.next();
    controller.abort(new GatewayError("DEADLINE_EXCEEDED", "too late"));
    expect(adapter.contexts.every(({ signal }) => signal.aborted)).toBe(true);
    await expect(rest).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect(adapter.ended.toSorted()).toEqual([0, 1, 2]);
  });
});

describe("the usage of a call that fails", () => {
  const limited = new GatewayError("PROVIDER_RATE_LIMITED", "slow down");

  it("is what answered requests reported, and an estimate of those that were cut off", async () => {
    const begun = [[started()], [textDelta(0, 0, "12345678")], limited];
    const run = attempt(scripted(says("yes"), begun), 2);
    await expect(collect(run.events)).rejects.toThrow("slow down");
    run.noteUsage();
    const [answered, cut] = run.attempts.map(({ usage }) => usage);
    expect(answered).toMatchObject({ inputTokens: 3, outputTokens: 1, quality: UsageQuality.EXACT });
    expect(cut?.inputTokens).toBeGreaterThan(0);
    expect(cut).toMatchObject({ outputTokens: 2, quality: UsageQuality.PARTIAL });
  });

  it("has an estimate of each request that was aborted, and none of one that the provider rejected", async () => {
    const run = attempt(scripted([limited], [never], [never]), 3);
    await expect(collect(run.events)).rejects.toThrow("slow down");
    const one = attempt(scripted([[started()], limited]), 1);
    await expect(collect(one.events)).rejects.toThrow("slow down");
    for (const each of [run, one]) each.noteUsage();
    const estimate = one.attempts[0]?.usage;
    expect(estimate?.quality).toBe(UsageQuality.PARTIAL);
    expect(run.attempts.map(({ usage }) => usage)).toEqual([undefined, estimate, estimate]);
  });

  it("has an estimate of a request that got no response in time, unless there was no connection", async () => {
    const usageAfter = async (error: GatewayError) => {
      const run = attempt(scripted([error]), 1);
      await expect(collect(run.events)).rejects.toThrow("too slow");
      run.noteUsage();
      return run.attempts[0]?.usage?.quality;
    };
    expect(await usageAfter(new GatewayError("PROVIDER_TIMEOUT", "too slow"))).toBe(UsageQuality.PARTIAL);
    const cause = new Error("ETIMEDOUT");
    expect(await usageAfter(new GatewayError("PROVIDER_TIMEOUT", "too slow", { cause }))).toBeUndefined();
  });

  it("is unset if the provider rejected every request", async () => {
    const run = attempt(scripted([limited]), 1);
    await expect(collect(run.events)).rejects.toThrow("slow down");
    run.noteUsage();
    expect(run.attempts[0]?.usage).toBeUndefined();
  });
});

it("ends attempts that never started when the call is aborted", () => {
  const controller = new AbortController();
  const { attempts } = attempt(scripted(), 3, {}, controller.signal);
  controller.abort(new GatewayError("SHUTTING_DOWN", "stopping"));
  const outcome = AttemptOutcome.ABANDONED;
  expect(attempts).toMatchObject(
    [0, 1, 2].map((choiceIndex) => ({ choiceIndex, outcome, failureReason: "SHUTTING_DOWN" })),
  );
  for (const never of attempts) expect([never.duration, never.startOffset]).toEqual([undefined, undefined]);
  expect(attempt(scripted(), 1, {}, controller.signal).attempts).toMatchObject([{ outcome }]);
});

describe("choiceAdaptations", () => {
  const adaptations = (n: number, maxChoices: number | undefined) => {
    const { maxChoices: _, ...unbounded } = scripted();
    const adapter = maxChoices === undefined ? unbounded : { ...unbounded, maxChoices };
    return choiceAdaptations(ask("m", "hi", { parameters: { n } }), { model, adapter }).map(({ kind }) => kind);
  };

  it("warns about up to eight requests for one call and rejects more", () => {
    expect(adaptations(1, 1)).toEqual([]);
    expect(adaptations(4, 4)).toEqual([]);
    expect(adaptations(128, undefined)).toEqual([]);
    expect(adaptations(2, 1)).toEqual(["EMULATED"]);
    expect(adaptations(8, 1)).toEqual(["EMULATED"]);
    expect(adaptations(9, 1)).toEqual(["REJECTED"]);
  });

  it("warns if only the model does not support several choices", () => {
    const { maxChoices: _, ...adapter } = scripted();
    const single = create(ModelSchema, {
      id: "scripted/one",
      provider: "scripted",
      capabilities: { multipleChoices: false },
    });
    const request = ask("m", "hi", { parameters: { n: 2 } });
    expect(choiceAdaptations(request, { model: single, adapter })).toMatchObject([{ kind: "EMULATED" }]);
  });

  it("keeps n in the request, even with strict parameters", () => {
    const request = ask("m", "hi", {
      parameters: { n: 2, seedValue: { case: "seed", value: 7n } },
      strictParameters: true,
    });
    const limited = applyAdaptations(request, choiceAdaptations(request, { model, adapter: scripted() }));
    expect(limited.request.parameters).toMatchObject({ n: 2, seedValue: { case: "seed", value: 7n } });
    expect(limited.warnings).toMatchObject([{ reason: "EMULATED", field: "parameters.n" }]);
  });
});
