import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CountingLimits } from "../../src/tokens/counting-limits.ts";
import { CountingThread, type CountingThreadOptions } from "../../src/tokens/counting-thread.ts";
import type { VocabularyName } from "../../src/tokens/vocabularies.ts";
import { counting } from "../support/counting.ts";

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

/** Makes a call with other limits. */
const within = (limits: Partial<CountingLimits>) => ({ ...counting, limits: { ...counting.limits, ...limits } });

const hello = [["Hello world!"]];
const helloCount = [[{ tokens: 3, torn: 0 }]];
/** Long enough for the queue of long texts. */
const lengthy = [["hello ".repeat(20_000)]];
const lengthyCount = [[{ tokens: 20_001, torn: 0 }]];
/** Takes seconds to count, so that other events of a test happen first. */
const long = [["天".repeat(5_000_000)]];
/** Cannot be loaded, which ends the thread. */
const unheardOf = "unheard-of" as VocabularyName;

describe("the token counting thread", () => {
  it("starts with the first count and stays for the next", async () => {
    const thread = start();
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello, counting)).toEqual(helloCount);
    const { threadId } = thread;
    expect(threadId).toBeGreaterThan(0);
    expect(await thread.count("o200k", hello, counting)).toEqual(helloCount);
    expect(thread.threadId).toBe(threadId);
  });

  it("returns the counts of concurrent jobs in the order of their texts", async () => {
    const thread = start();
    const one = [["Hello world!", "", "Hello"], [], ["Hello world! Hello world!"]];
    const [first, second, third] = await Promise.all([
      thread.count("cl100k", one, counting),
      thread.count("llama-3", [], counting),
      thread.count("cl100k", hello, counting),
    ]);
    expect(first?.map((row) => row.map(({ tokens }) => tokens))).toEqual([[3, 0, 1], [], [6]]);
    expect(second).toEqual([]);
    expect(third).toEqual(helloCount);
  });

  it("does not block the timers of the service while it loads the largest vocabulary", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await start().count("llama-3", hello, counting);
    clearInterval(timer);
    // Loading takes hundreds of milliseconds. On the main thread, it would allow only one or two ticks.
    expect(ticks).toBeGreaterThan(5);
  });

  it("counts a short text while it counts a long one", async () => {
    const thread = start();
    await thread.count("cl100k", hello, counting);
    const order: string[] = [];
    const count = thread.count("cl100k", long, counting).then(() => order.push("long"));
    await thread.count("cl100k", hello, counting).then(() => order.push("short"));
    thread.close();
    await count;
    expect(order).toEqual(["short", "long"]);
  });

  it("counts short texts before long ones that came earlier", async () => {
    const thread = start();
    await thread.count("cl100k", hello, counting);
    const order: string[] = [];
    const patient = within({ maxWorkMs: 1e9, maxTimeMs: 1e9 });
    const counts = [1, 2, 3].map(() => thread.count("cl100k", long, patient).then(() => order.push("long")));
    const shorts = [1, 2, 3].map(() => thread.count("cl100k", hello, counting).then(() => order.push("short")));
    await Promise.all(shorts);
    thread.close();
    await Promise.all(counts);
    expect(order).toEqual(["short", "short", "short", "long", "long", "long"]);
  });

  it("gives up a count that waits too long", async () => {
    const thread = start();
    await thread.count("cl100k", hello, counting);
    const hasty = within({ maxWorkMs: 300, maxTimeMs: 1 });
    const counts = await Promise.all([thread.count("cl100k", long, hasty), thread.count("cl100k", long, hasty)]);
    expect(counts).toEqual([undefined, undefined]);
  });

  it("counts long texts in turns of their accounts", async () => {
    const thread = start();
    await thread.count("cl100k", hello, counting);
    const order: string[] = [];
    const count = (holder: string) =>
      thread.count("cl100k", lengthy, { ...counting, holder }).then(() => order.push(holder));
    await Promise.all(["a", "a", "a", "a", "b", "c"].map(count));
    expect(order).toEqual(["a", "a", "b", "c", "a", "a"]);
  });

  it("counts a long text of one account however many of another wait", async () => {
    const thread = start();
    const call = new AbortController();
    const flooding = { ...within({ maxWorkMs: 100 }), signal: call.signal };
    const flood = Array.from({ length: 20 }, () => thread.count("cl100k", long, flooding));
    const ends = Promise.allSettled(flood);
    const other = { ...within({ maxTimeMs: 1e9 }), holder: "account:b" };
    expect(await thread.count("cl100k", lengthy, other)).toEqual(lengthyCount);
    call.abort(new Error("the callers left"));
    await ends;
  });

  it("does not count beyond a bound on the waiting texts, and counts again when they are gone", async () => {
    const thread = start();
    const call = new AbortController();
    const flood = Array.from({ length: 4 }, () => thread.count("cl100k", long, { ...counting, signal: call.signal }));
    const ends = Promise.allSettled(flood);
    // One text is being counted, and three times five million characters wait.
    expect(await thread.count("cl100k", long, counting)).toBeUndefined();
    expect(await thread.count("cl100k", hello, counting)).toEqual(helloCount);
    call.abort(new Error("the callers left"));
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
    expect(await thread.count("cl100k", lengthy, counting)).toEqual(lengthyCount);
    expect(await thread.count("cl100k", lengthy, within({ maxQueueBytes: 240_000 }))).toEqual(lengthyCount);
    expect(await thread.count("cl100k", lengthy, within({ maxQueueBytes: 239_999 }))).toBeUndefined();
    expect(await thread.count("cl100k", hello, within({ maxQueueBytes: 23 }))).toBeUndefined();
  });

  it("gives up a count that takes too long, and keeps running", async () => {
    const thread = start();
    expect(await thread.count("cl100k", long, within({ maxWorkMs: 200 }))).toBeUndefined();
    const { threadId } = thread;
    expect(await thread.count("cl100k", hello, counting)).toEqual(helloCount);
    expect(thread.threadId).toBe(threadId);
  });

  it("returns no counts when it dies, warns, and restarts with the next count", async () => {
    const thread = start();
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    const counts = await Promise.all([
      thread.count("cl100k", long, counting),
      thread.count(unheardOf, hello, counting),
    ]);
    expect(counts).toEqual([undefined, undefined]);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("the token counting thread died")]]);
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello, counting)).toEqual(helloCount);
  });

  it("rejects an aborted count at once, and completes the others", async () => {
    const thread = start();
    const call = new AbortController();
    const count = thread.count("cl100k", long, { ...counting, signal: call.signal });
    const other = thread.count("cl100k", hello, counting);
    const reason = new Error("the caller left");
    call.abort(reason);
    await expect(count).rejects.toBe(reason);
    await expect(thread.count("cl100k", hello, { ...counting, signal: call.signal })).rejects.toBe(reason);
    expect(await other).toEqual(helloCount);
  });

  it("ends after the idle time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const thread = start({ idleMs: 1000 });
    await thread.count("cl100k", hello, counting);
    vi.advanceTimersByTime(999);
    await thread.count("cl100k", hello, counting);
    vi.advanceTimersByTime(999);
    expect(thread.threadId).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello, counting)).toEqual(helloCount);
  });

  it("keeps a process alive during a count, and no longer", async () => {
    const { href } = new URL("../../src/tokens/counting-thread.ts", import.meta.url);
    const program = `import { countingThread } from ${JSON.stringify(href)};
      console.log(JSON.stringify(await countingThread.count("cl100k", ${JSON.stringify(hello)}, {
        holder: "", signal: new AbortController().signal, limits: ${JSON.stringify(counting.limits)} })));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      timeout: 15_000,
    });
    expect(JSON.parse(stdout)).toEqual(helloCount);
  });
});
