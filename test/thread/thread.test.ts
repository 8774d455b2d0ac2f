import { EventEmitter, once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { remote } from "../../src/thread/remote.ts";
import { Thread } from "../../src/thread/thread.ts";

interface Script {
  data(): Promise<unknown>;
  echo(value: unknown): Promise<unknown>;
  hold(value: unknown): Promise<unknown>;
  release(): Promise<void>;
  emit(value: unknown): Promise<void>;
  crash(): Promise<void>;
  reject(): Promise<void>;
  exit(): Promise<void>;
  failAtEnd(): Promise<void>;
}

const second = 20_000;
const timeouts = {
  ...{ data: second, echo: second, hold: second, release: second },
  ...{ emit: second, crash: second, reject: second, exit: second, failAtEnd: second },
};

const open = new Set<Thread>();
afterEach(async () => {
  await Promise.all([...open].map((thread) => thread.close(0)));
  open.clear();
});

function start() {
  const events = new EventEmitter();
  const downs: { readonly message: string; readonly restartMs: number | undefined }[] = [];
  const thread = new Thread({
    main: new URL("./scripted-thread.ts", import.meta.url),
    name: "script",
    data: { a: 1 },
    onEvent: (event, value) => events.emit(event, value),
    onDown: ({ message }, restartMs) => {
      downs.push({ message, restartMs });
      events.emit("down");
    },
  });
  open.add(thread);
  return { thread, events, downs, script: remote<Script>(thread, "script", timeouts) };
}

const reasonOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => value,
    (error: unknown) => (error instanceof GatewayError ? error.reason : error),
  );

/** Calls until the thread has started again. */
async function untilRestarted(script: Script): Promise<void> {
  while ((await reasonOf(script.echo("there"))) !== "there") await new Promise(setImmediate);
}

describe("a thread", () => {
  it("starts with the first call, gets its data, and sends events", async () => {
    const { script, events } = start();
    expect(await script.data()).toEqual({ a: 1 });
    const said = once(events, "said");
    await script.emit({ count: 3n });
    expect(await said).toEqual([{ count: 3n }]);
  });

  it("ends calls in another order than they began", async () => {
    const { script } = start();
    const ends: unknown[] = [];
    const calls = [1, 2, 3].map((value) => script.hold(value).then((result) => ends.push(result)));
    expect(await script.echo("first")).toBe("first");
    await script.release();
    await Promise.all(calls);
    expect(ends).toEqual([3, 2, 1]);
  });

  it.each([
    ["crash", "a fault of the thread"],
    ["reject", "nobody handles this"],
    ["exit", "the thread exited with 3"],
  ] as const)("that dies by %s fails its calls only, and starts again", async (way, message) => {
    const { script, events, downs } = start();
    const pending = reasonOf(script.hold("never"));
    const down = once(events, "down");
    void script[way]().catch(() => {});
    await down;
    expect(await pending).toBe("STORE_UNAVAILABLE");
    expect(downs).toEqual([{ message, restartMs: expect.any(Number) }]);
    expect(await reasonOf(script.echo(1))).toBe("STORE_UNAVAILABLE");
    await untilRestarted(script);
    expect(await script.data()).toEqual({ a: 1 });
  });

  it("waits longer before each restart, within bounds", async () => {
    const { script, events, downs } = start();
    for (let fault = 0; fault < 3; fault++) {
      await untilRestarted(script);
      const down = once(events, "down");
      void script.exit().catch(() => {});
      await down;
    }
    for (const [index, { restartMs }] of downs.entries()) {
      expect(restartMs).toBeGreaterThanOrEqual(50 * 2 ** index);
      expect(restartMs).toBeLessThanOrEqual(100 * 2 ** index);
    }
  });

  it("closes when its work has ended, and rejects calls from then on", async () => {
    const { thread, script, events } = start();
    await script.echo(1);
    const closing = once(events, "closing");
    expect(await thread.close(20_000)).toBe(true);
    expect(await closing).toEqual([20_000]);
    expect(await reasonOf(script.echo(1))).toBe("SHUTTING_DOWN");
  });

  it("ends by force after its grace, and its calls reject", async () => {
    const { thread, script, downs } = start();
    await script.echo(1);
    const pending = reasonOf(script.hold("never"));
    expect(await thread.close(1)).toBe(false);
    expect(await pending).toBe("SHUTTING_DOWN");
    expect(downs).toEqual([]);
  });

  it("tells its fault if its end fails", async () => {
    const { thread, script, downs } = start();
    await script.failAtEnd();
    await thread.close(20_000);
    expect(downs).toEqual([{ message: "a fault at the end", restartMs: undefined }]);
  });

  it("that never started closes at once", async () => {
    const { thread, script } = start();
    await thread.close(1_000);
    expect(await reasonOf(script.echo(1))).toBe("SHUTTING_DOWN");
  });
});
