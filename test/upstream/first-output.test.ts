import { afterEach, describe, expect, it } from "vitest";
import { exchange } from "../../src/upstream/exchange.ts";
import { Upstream } from "../../src/upstream/http.ts";
import type { AttemptContext } from "../../src/upstream/upstream-call.ts";
import { collect, context, settings } from "../providers/chat-completions/harness.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { inWords } from "../support/words.ts";

const never = new Promise<void>(() => {});
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

async function ask(script: Script, more: Partial<AttemptContext> = {}, timeouts = {}) {
  const replay = await startReplayUpstream(script);
  const usual = settings(replay.baseUrl);
  const upstream = new Upstream(
    { ...usual, timeouts: { ...usual.timeouts, ...timeouts } },
    { requestId: [], limitPrefixes: [] },
  );
  open.push({ [Symbol.asyncDispose]: () => upstream.close() }, replay);
  let outputs = 0;
  const attempt = { ...context(), onOutput: () => outputs++, ...more };
  const { events, error } = await collect(exchange(upstream, attempt, inWords));
  return { outputs, error, deltas: events.filter(({ case: kind }) => kind === "delta").length };
}

const json = { "content-type": "application/json" };

describe("the first output of an upstream response", () => {
  it.each<[string, Script, number]>([
    ["at a delta, once", { steps: [{ write: "data: a\n\n" }, { write: "data: b\n\ndata: .\n\n" }] }, 1],
    ["at hidden reasoning", { steps: [{ write: "data: ~\n\ndata: .\n\n" }] }, 1],
    ["at output before an error in the same read", { steps: [{ write: "data: a\n\ndata: !\n\n" }] }, 1],
    ["at a JSON body", { headers: json, steps: [{ write: "wh" }, { write: "ole" }] }, 1],
    ["not at headers and an empty body", { steps: [] }, 0],
    ["not at keep-alives and empty events", { steps: [{ write: ": ping\n\ndata: -\n\ndata: .\n\n" }] }, 0],
    ["not at an error event", { steps: [{ write: "data: !\n\n" }] }, 0],
    ["not at blanks before a JSON body that never comes", { headers: json, steps: [{ write: "\n \n" }] }, 0],
    ["not at the body of an error", { status: 500, steps: [{ write: "failed" }] }, 0],
  ])("is reported %s", async (_, script, expected) => {
    expect((await ask(script)).outputs).toBe(expected);
  });

  it("is reported before the consumer gets it", async () => {
    let outputs = 0;
    const replay = await startReplayUpstream({ steps: [{ write: "data: a\n\n" }, { hold: never }] });
    const upstream = new Upstream(settings(replay.baseUrl), { requestId: [], limitPrefixes: [] });
    open.push({ [Symbol.asyncDispose]: () => upstream.close() }, replay);
    const attempt = { ...context(), onOutput: () => outputs++ };
    for await (const [event] of exchange(upstream, attempt, inWords)) {
      expect(outputs).toBe(event?.case === "delta" ? 1 : 0);
      if (outputs > 0) break;
    }
  });
});

describe("the idle timeout of an attempt", () => {
  const script = { steps: [{ write: "data: a\n\n" }, { hold: never }] };
  it.each([
    ["the attempt's, if it is shorter", 60, 20_000],
    ["the provider's, if it is shorter", 20_000, 60],
    ["the provider's, if the attempt has none", 0, 60],
    ["the attempt's, if the provider has none", 60, 0],
  ])("is %s", async (_, idleMs, ofProvider) => {
    const { error, deltas } = await ask(script, { idleMs }, { idleMs: ofProvider });
    expect(deltas).toBe(1);
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
  });

  it("does not shorten the wait for the first output", async () => {
    const { error, deltas } = await ask({ steps: [{ hold: never }] }, { idleMs: 20 }, { firstEventMs: 60 });
    expect(deltas).toBe(0);
    expect(error?.message).toContain("timed out waiting");
  });
});
