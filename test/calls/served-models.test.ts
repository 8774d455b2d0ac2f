import { afterEach, describe, expect, it } from "vitest";
import { ServedModels } from "../../src/calls/served-models.ts";
import type { GatewayError } from "../../src/errors.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { VirtualClock } from "../routing/law/virtual-clock.ts";
import { configured } from "../support/configured.ts";
import { type Playable, type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";

const json = { "content-type": "application/json" };
const lists = (...ids: readonly string[]): Script => ({
  headers: json,
  steps: [{ write: JSON.stringify({ object: "list", data: ids.map((id) => ({ id, object: "model" })) }) }],
});
const fails: Script = { status: 500, headers: json, steps: [{ write: "{}" }] };
const never = new Promise<never>(() => {});

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

interface Stage {
  readonly upstream: ReplayUpstream;
  readonly adapter: Adapter;
  readonly clock: VirtualClock;
  readonly served: ServedModels;
  readonly failures: readonly GatewayError[];
  /** Resolves when a list could not be read. */
  failed(): Promise<void>;
  names(signal?: AbortSignal): Promise<readonly string[]>;
}

async function start(...scripts: readonly Playable[]): Promise<Stage> {
  const upstream = await startReplayUpstream(...scripts);
  const adapter = configured("vllm", `${upstream.baseUrl}/v1`);
  const clock = new VirtualClock();
  const failures: GatewayError[] = [];
  let next = Promise.withResolvers<void>();
  const served = new ServedModels({
    clock,
    onFailure(provider, error) {
      expect(provider).toBe("vllm");
      failures.push(error);
      next.resolve();
      next = Promise.withResolvers();
    },
  });
  open.push(upstream, { [Symbol.asyncDispose]: async () => adapter.close?.() });
  return {
    ...{ upstream, adapter, clock, served, failures },
    failed: () => next.promise.then(turn),
    async names(signal = new AbortController().signal) {
      return (await served.of([adapter], signal)).map(({ providerModel }) => providerModel);
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Asks until the list has a name. Each question lets the event loop turn. */
async function until(stage: Stage, name: string): Promise<void> {
  while (!(await stage.names()).includes(name)) await turn();
}

describe("the lists of servers", () => {
  it("are read once for all calls that ask at the same time, and kept for 30 seconds", async () => {
    const stage = await start(lists("a"), lists("b"));
    expect(await Promise.all([stage.names(), stage.names(), stage.names()])).toEqual([["a"], ["a"], ["a"]]);
    stage.clock.pass(29_999);
    expect(await stage.names()).toEqual(["a"]);
    expect(stage.upstream.requests).toHaveLength(1);
  });

  it("are read again in the background when somebody asks after 30 seconds", async () => {
    const stage = await start(lists("a"), lists("b"));
    await stage.names();
    stage.clock.pass(30_000);
    expect(stage.upstream.requests).toHaveLength(1);
    expect(await stage.names()).toEqual(["a"]);
    await until(stage, "b");
    expect(await stage.names()).toEqual(["b"]);
    expect(stage.upstream.requests).toHaveLength(2);
  });

  it("keep the objects of models that stay the same", async () => {
    const stage = await start(lists("a", "b"), lists("b", "c"));
    const signal = new AbortController().signal;
    const before = await stage.served.of([stage.adapter], signal);
    stage.clock.pass(30_000);
    await until(stage, "c");
    const after = await stage.served.of([stage.adapter], signal);
    expect(after[0]).toBe(before[1]);
  });

  it("delay a call by at most a second, and a request ends after five", async () => {
    const stage = await start({ holdHeaders: never });
    const asked = stage.names();
    const { aborted } = await stage.upstream.nextRequest();
    stage.clock.pass(999);
    expect(await Promise.race([asked, Promise.resolve("waits")])).toBe("waits");
    stage.clock.pass(1);
    expect(await asked).toEqual([]);
    const failed = stage.failed();
    stage.clock.pass(4_000);
    await Promise.all([failed, aborted]);
    expect(stage.failures.map(({ reason, message }) => [reason, message])).toEqual([
      ["PROVIDER_TIMEOUT", "did not answer within 5 seconds"],
    ]);
    expect(stage.clock.pending).toBe(0);
  });

  it("are kept for ten minutes while the server fails, which is asked every ten seconds at most", async () => {
    const stage = await start(lists("a"), fails);
    await stage.names();
    stage.clock.pass(30_000);
    let failed = stage.failed();
    expect(await stage.names()).toEqual(["a"]);
    await failed;
    stage.clock.pass(9_999);
    expect(await stage.names()).toEqual(["a"]);
    expect(stage.upstream.requests).toHaveLength(2);
    stage.clock.pass(1);
    failed = stage.failed();
    expect(await stage.names()).toEqual(["a"]);
    await failed;
    expect(stage.upstream.requests).toHaveLength(3);
    stage.clock.pass(560_000);
    expect(await stage.names()).toEqual([]);
    expect(stage.failures).toHaveLength(3);
  });

  it("do not hold a call that was cancelled", async () => {
    const stage = await start({ holdHeaders: never });
    const controller = new AbortController();
    const asked = stage.names(controller.signal);
    await stage.upstream.nextRequest();
    const reason = new Error("cancelled");
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    stage.served.close();
  });

  it("end their requests without a failure when the service stops, and begin no new one", async () => {
    const stage = await start({ holdHeaders: never });
    const asked = stage.names();
    const { aborted } = await stage.upstream.nextRequest();
    stage.served.close();
    await aborted;
    expect(await asked).toEqual([]);
    stage.clock.pass(60_000);
    expect(await stage.names()).toEqual([]);
    expect(stage.upstream.requests).toHaveLength(1);
    expect(stage.failures).toEqual([]);
  });

  it("do not ask a server whose list is off", async () => {
    const upstream = await startReplayUpstream(lists("a"));
    const adapter = configured("openai", upstream.baseUrl);
    open.push(upstream, { [Symbol.asyncDispose]: async () => adapter.close?.() });
    expect(await new ServedModels().of([adapter], new AbortController().signal)).toEqual([]);
    expect(upstream.requests).toEqual([]);
  });
});
