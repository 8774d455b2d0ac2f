import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Attempt } from "../../../bench/routing/attempts.ts";
import { judge } from "../../../bench/routing/judge.ts";
import { OpenAICaller } from "../../../bench/routing/openai-caller.ts";
import { type Mode, modes, promptOf, textOf } from "../../../bench/routing/texts.ts";

let upstream: ChildProcess;
let url: string;

beforeAll(async () => {
  const file = new URL("../../../bench/routing/upstream.ts", import.meta.url).pathname;
  upstream = fork(file, { execArgv: [] });
  const [{ port }] = await once(upstream, "message");
  url = `http://127.0.0.1:${port}`;
});

afterAll(() => upstream.disconnect());

interface Call {
  readonly model: string;
  readonly mode: Mode;
  readonly call?: number;
  readonly key?: string;
  /** When the caller gives up on a silent upstream, in ms. */
  readonly leaveAfterMs?: number;
}

/** What OpenAI's library makes of a call, without a gateway between. */
async function outcomeOf({ model, mode, call = 0, key = "K1", leaveAfterMs }: Call): Promise<string> {
  const caller = new OpenAICaller(`${url}/v1`, { authorization: `Bearer ${key}` });
  const prompt = promptOf({ call, calls: 150 });
  const { seen } = await caller.call({ model, prompt, mode, deadlineMs: 15_000, leaveAfterMs });
  const { verdict, detail } = judge(seen, textOf(call, 8));
  return detail === "" ? verdict : `${verdict}: ${detail}`;
}

async function attemptsOf(cell: string): Promise<readonly Attempt[]> {
  // The cast is safe: the upstream sends its log.
  return (await fetch(`${url}/attempts/${cell}`)).json() as Promise<readonly Attempt[]>;
}

/** The outcomes of the first calls of a cell, one after the other. */
async function outcomesOf(model: string, mode: Mode, calls: number): Promise<readonly string[]> {
  const outcomes: string[] = [];
  for (let call = 0; call < calls; call++) outcomes.push(await outcomeOf({ model, mode, call }));
  return outcomes;
}

it("gives whole responses that name their call, and logs the attempts of each cell", async () => {
  expect(await outcomesOf("t1.s3.unary.A", "unary", 2)).toEqual(["complete", "complete"]);
  expect(await outcomesOf("t1.s3.stream.A", "stream", 2)).toEqual(["complete", "complete"]);
  expect(await outcomeOf({ model: "t1.s3.stream.B", mode: "stream" })).toBe("complete");
  const attempts = await attemptsOf("t1.s3.stream");
  expect(attempts.map(({ target, call, tokens, fault }) => [target, call, tokens, fault])).toEqual([
    ["A", 0, 8, ""],
    ["A", 1, 8, ""],
    ["B", 0, 8, ""],
  ]);
  expect(await attemptsOf("t1.s3.none")).toEqual([]);
});

it("breaks streams in the middle in five ways, one of which OpenAI's library takes for whole", async () => {
  const model = "t2.s8.stream.C";
  expect(await outcomesOf(model, "stream", 4)).toEqual([
    expect.stringMatching(/^error/),
    "looks_whole: cut",
    expect.stringMatching(/^error/),
    expect.stringMatching(/^error/),
  ]);
  expect(await outcomeOf({ model, mode: "stream", leaveAfterMs: 300 })).toBe("left");
  const [cut, cleanEnd, errorEvent] = await attemptsOf("t2.s8.stream");
  expect([cut, cleanEnd, errorEvent].map((attempt) => attempt?.tokens)).toEqual([3, 3, 3]);
});

it("breaks whole responses in five ways, one of which OpenAI's library takes for whole", async () => {
  const model = "t3.s8.unary.C";
  expect(await outcomesOf(model, "unary", 4)).toEqual([
    expect.stringMatching(/^error/),
    expect.stringMatching(/^error/),
    "looks_whole: no text",
    expect.stringMatching(/^error/),
  ]);
  expect(await outcomeOf({ model, mode: "unary", leaveAfterMs: 300 })).toBe("left");
});

it("is dead, or silent before or after its headers", async () => {
  expect(await outcomesOf("t4.s4.stream.D", "stream", 2)).toEqual([
    "error: 503 internal_error",
    "error: APIConnectionError",
  ]);
  for (const mode of modes) {
    const silent = { model: `t4.s6.${mode}.C`, mode, leaveAfterMs: 300 };
    expect(await outcomeOf(silent)).toBe("left");
    expect(await outcomeOf(silent)).toBe("left");
  }
});

it("limits the key K1, and says only with every second 429 when to come back", async () => {
  const calls = Array.from({ length: 12 }, (_, call) => outcomeOf({ model: "t5.s5.unary.K", mode: "unary", call }));
  const outcomes = await Promise.all(calls);
  expect(outcomes.filter((outcome) => outcome === "complete")).toHaveLength(10);
  expect(outcomes.filter((outcome) => outcome === "error: 429 rate_limit_exceeded")).toHaveLength(2);
  expect(await outcomeOf({ model: "t5.s5.unary.K", mode: "unary", key: "K2" })).toBe("complete");
  const limited = (await attemptsOf("t5.s5.unary")).filter(({ limitedUntil }) => limitedUntil !== undefined);
  expect(limited).toHaveLength(1);
});

it("answers an unknown model with 404", async () => {
  expect(await outcomeOf({ model: "t6.s99.unary.A", mode: "unary" })).toMatch(/^error: 404/);
});
