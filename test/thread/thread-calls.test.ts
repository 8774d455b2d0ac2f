import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { type CallOrder, toSent } from "../../src/thread/messages.ts";
import { answer } from "../../src/thread/run-thread.ts";
import { ThreadCalls } from "../../src/thread/thread-calls.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What happens to the calls: a new one, the end of one of those in progress, time that passes, or the thread dies. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("call" as const), timeoutMs: fc.integer({ min: 1, max: 50 }) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(), fails: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 30 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("die" as const) }) },
  ),
  { maxLength: 60 },
);

/** The outcome of a call as a text: its result, or the message of its error. */
const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(String, (error: unknown) => (error instanceof GatewayError ? error.reason : String(error)));

describe("the calls of a thread", () => {
  it("get each its own outcome, whatever the order in which they end", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), async (script, maxCalls) => {
        let nowMs = 0;
        /** Calls that the thread has not ended. */
        let atThread: CallOrder[] = [];
        const calls = new ThreadCalls((order) => atThread.push(structuredClone(order)), maxCalls);
        const outcomes: Promise<string>[] = [];
        const expected: (string | undefined)[] = [];
        const endsMs: number[] = [];
        const expire = () => {
          for (const [index, endMs] of endsMs.entries()) if (endMs <= nowMs) expected[index] ??= "STORE_UNAVAILABLE";
        };
        for (const step of script) {
          switch (step.kind) {
            case "call": {
              const index = outcomes.length;
              expected.push(atThread.length >= maxCalls ? "STORE_UNAVAILABLE" : undefined);
              endsMs.push(nowMs + step.timeoutMs);
              outcomes.push(outcomeOf(calls.call("a.b", [index], step.timeoutMs)));
              break;
            }
            case "end": {
              const [order] = atThread.splice(step.which % Math.max(1, atThread.length), 1);
              if (order === undefined) break;
              const [index] = order.parameters as [number];
              expected[index] ??= step.fails ? `Error: no ${index}` : `yes ${index}`;
              calls.receive(
                structuredClone(
                  step.fails
                    ? { id: order.id, error: toSent(new Error(`no ${index}`)) }
                    : { id: order.id, result: `yes ${index}` },
                ),
              );
              break;
            }
            case "pass":
              nowMs += step.ms;
              vi.advanceTimersByTime(step.ms);
              expire();
              break;
            case "die":
              for (const index of outcomes.keys()) expected[index] ??= "SHUTTING_DOWN";
              atThread = [];
              calls.fail(new GatewayError("SHUTTING_DOWN", "gone"));
              break;
          }
          expect(calls.inProgress).toBe(atThread.length);
        }
        vi.advanceTimersByTime(1_000);
        for (const index of outcomes.keys()) expected[index] ??= "STORE_UNAVAILABLE";
        expect(await Promise.all(outcomes)).toEqual(expected);
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });

  it("say how long to wait if the thread does not respond, and if too many wait", async () => {
    const calls = new ThreadCalls(() => {}, 1);
    const slow = calls.call("a.b", [], 2_500).catch((error: unknown) => error);
    const refused = await calls.call("a.b", [], 2_500).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      reason: "STORE_UNAVAILABLE",
      message: "1 requests already wait for the database; retry later",
      facts: { retryAfterMs: 1_000 },
    });
    vi.advanceTimersByTime(2_500);
    expect(await slow).toMatchObject({
      reason: "STORE_UNAVAILABLE",
      message: "the database did not respond within 2.5 s; retry later",
      facts: { retryAfterMs: 1_000 },
    });
  });

  it("reject for parameters that cannot be sent, and take no place", async () => {
    const calls = new ThreadCalls((order) => void structuredClone(order), 1);
    await expect(calls.call("a.b", [() => 1], 100)).rejects.toThrow(/could not be cloned/);
    expect(calls.inProgress).toBe(0);
  });
});

describe("the answer of a thread", () => {
  const interfaces = {
    usage: {
      count: (list: readonly unknown[]) => list.length,
      later: async (value: unknown) => value,
      uncloneable: () => () => 1,
      fail: () => {
        const cause = Object.assign(new TypeError("refused", { cause: new Error("deep") }), { code: "ECONNREFUSED" });
        throw new GatewayError("STORE_UNAVAILABLE", "away", { retryAfterMs: 7, metadata: { a: "b" }, cause });
      },
    },
  };

  async function ask(method: string, ...parameters: readonly unknown[]): Promise<unknown> {
    const calls = new ThreadCalls(
      (order) =>
        void answer(interfaces, structuredClone(order), (report) => {
          const received = structuredClone(report);
          if (!("event" in received)) calls.receive(received);
        }),
      10,
    );
    return calls.call(method, parameters, 1_000);
  }

  it("is what the method returns, or what its promise has", async () => {
    expect(await ask("usage.count", [1, 2, 3])).toBe(3);
    expect(await ask("usage.later", { big: 2n ** 60n, none: undefined })).toEqual({ big: 2n ** 60n, none: undefined });
  });

  it("keeps the reason, the facts and the causes of an error, with their codes", async () => {
    const error = await ask("usage.fail").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({
      ...{ reason: "STORE_UNAVAILABLE", message: "away", facts: { retryAfterMs: 7, metadata: { a: "b" } } },
      cause: { name: "TypeError", message: "refused", code: "ECONNREFUSED", cause: { message: "deep" } },
    });
  });

  it.each([
    ["usage.uncloneable", /could not be cloned/],
    ["usage.missing", /^the thread has no method usage\.missing$/],
    ["other.count", /^the thread has no method other\.count$/],
  ])("is an error for %s", async (method, message) => {
    await expect(ask(method)).rejects.toThrow(message);
  });
});
