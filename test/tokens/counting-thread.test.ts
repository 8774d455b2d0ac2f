import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CountingThread, type CountingThreadOptions } from "../../src/tokens/counting-thread.ts";
import type { VocabularyName } from "../../src/tokens/vocabularies.ts";

const open: CountingThread[] = [];
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const thread of open.splice(0)) thread.close();
});

function start(options?: CountingThreadOptions): CountingThread {
  const thread = new CountingThread(options);
  open.push(thread);
  return thread;
}

const hello = [["Hello world!"]];
const helloCount = [[{ tokens: 3, torn: 0 }]];
/** Takes seconds to count, so that other events of a test happen first. */
const long = [["天".repeat(5_000_000)]];
/** Cannot be loaded, which ends the thread. */
const unheardOf = "unheard-of" as VocabularyName;

describe("the token counting thread", () => {
  it("starts with the first count and stays for the next", async () => {
    const thread = start();
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
    const { threadId } = thread;
    expect(threadId).toBeGreaterThan(0);
    expect(await thread.count("o200k", hello)).toEqual(helloCount);
    expect(thread.threadId).toBe(threadId);
  });

  it("returns the counts of concurrent jobs in the order of their texts", async () => {
    const thread = start();
    const one = [["Hello world!", "", "Hello"], [], ["Hello world! Hello world!"]];
    const [first, second, third] = await Promise.all([
      thread.count("cl100k", one),
      thread.count("llama-3", []),
      thread.count("cl100k", hello),
    ]);
    expect(first?.map((row) => row.map(({ tokens }) => tokens))).toEqual([[3, 0, 1], [], [6]]);
    expect(second).toEqual([]);
    expect(third).toEqual(helloCount);
  });

  it("does not block the timers of the service while it loads the largest vocabulary", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await start().count("llama-3", hello);
    clearInterval(timer);
    // Loading takes hundreds of milliseconds. On the main thread, it would allow only one or two ticks.
    expect(ticks).toBeGreaterThan(5);
  });

  it("counts a short text while it counts a long one", async () => {
    const thread = start();
    await thread.count("cl100k", hello);
    const order: string[] = [];
    const counting = thread.count("cl100k", long).then(() => order.push("long"));
    await thread.count("cl100k", hello).then(() => order.push("short"));
    thread.close();
    await counting;
    expect(order).toEqual(["short", "long"]);
  });

  it("counts short texts before long ones that came earlier", async () => {
    const thread = start({ longestMs: 1e9, longestWaitMs: 1e9 });
    await thread.count("cl100k", hello);
    const order: string[] = [];
    const counting = [1, 2, 3].map(() => thread.count("cl100k", long).then(() => order.push("long")));
    const shorts = [1, 2, 3].map(() => thread.count("cl100k", hello).then(() => order.push("short")));
    await Promise.all(shorts);
    thread.close();
    await Promise.all(counting);
    expect(order).toEqual(["short", "short", "short", "long", "long", "long"]);
  });

  it("gives up a count that waits too long", async () => {
    const thread = start({ longestMs: 300, longestWaitMs: 1 });
    await thread.count("cl100k", hello);
    const counts = await Promise.all([thread.count("cl100k", long), thread.count("cl100k", long)]);
    expect(counts).toEqual([undefined, undefined]);
  });

  it("does not count beyond a bound on the waiting texts, and counts again when they are gone", async () => {
    const thread = start();
    const call = new AbortController();
    const flood = Array.from({ length: 3 }, () => thread.count("cl100k", long, call.signal));
    const ends = Promise.allSettled(flood);
    // Three times five million characters wait.
    expect(await thread.count("cl100k", long)).toBeUndefined();
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
    call.abort(new Error("the callers left"));
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await thread.count("cl100k", [["hello ".repeat(20_000)]])).toEqual([[{ tokens: 20_001, torn: 0 }]]);
  });

  it("gives up a count that takes too long, and keeps running", async () => {
    const thread = start({ longestMs: 200 });
    expect(await thread.count("cl100k", long)).toBeUndefined();
    const { threadId } = thread;
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
    expect(thread.threadId).toBe(threadId);
  });

  it("returns no counts when it dies, warns, and restarts with the next count", async () => {
    const thread = start();
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    const counts = await Promise.all([thread.count("cl100k", long), thread.count(unheardOf, hello)]);
    expect(counts).toEqual([undefined, undefined]);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("the token counting thread died")]]);
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
  });

  it("rejects an aborted count at once, and completes the others", async () => {
    const thread = start();
    const call = new AbortController();
    const counting = thread.count("cl100k", long, call.signal);
    const other = thread.count("cl100k", hello);
    const reason = new Error("the caller left");
    call.abort(reason);
    await expect(counting).rejects.toBe(reason);
    await expect(thread.count("cl100k", hello, call.signal)).rejects.toBe(reason);
    expect(await other).toEqual(helloCount);
  });

  it("ends after the idle time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const thread = start({ idleMs: 1000 });
    await thread.count("cl100k", hello);
    vi.advanceTimersByTime(999);
    await thread.count("cl100k", hello);
    vi.advanceTimersByTime(999);
    expect(thread.threadId).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
  });

  it("keeps a process alive during a count, and no longer", async () => {
    const { href } = new URL("../../src/tokens/counting-thread.ts", import.meta.url);
    const program = `import { countingThread } from ${JSON.stringify(href)};
      console.log(JSON.stringify(await countingThread.count("cl100k", ${JSON.stringify(hello)})));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      timeout: 15_000,
    });
    expect(JSON.parse(stdout)).toEqual(helloCount);
  });
});
