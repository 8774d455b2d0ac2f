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
/** Takes seconds, so that whatever happens meanwhile happens first. */
const long = [["天".repeat(5_000_000)]];
/** Ends the thread, since it cannot be loaded. */
const unheardOf = "unheard-of" as VocabularyName;

describe("the thread that counts tokens", () => {
  it("starts with the first count, and stays for the next", async () => {
    const thread = start();
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
    const { threadId } = thread;
    expect(threadId).toBeGreaterThan(0);
    expect(await thread.count("o200k", hello)).toEqual(helloCount);
    expect(thread.threadId).toBe(threadId);
  });

  it("answers each count with its own, in the order of the texts", async () => {
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

  it("leaves the timers of the service running while it loads the largest vocabulary", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await start().count("llama-3", hello);
    clearInterval(timer);
    // Loading takes hundreds of milliseconds. In this thread it would leave room for one or two.
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

  it("gives up what takes too long, and goes on", async () => {
    const thread = start({ longestMs: 200 });
    expect(await thread.count("cl100k", long)).toBeUndefined();
    const { threadId } = thread;
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
    expect(thread.threadId).toBe(threadId);
  });

  it("gives nobody a count when it dies, says so, and is started again for the next", async () => {
    const thread = start();
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    const counts = await Promise.all([thread.count("cl100k", long), thread.count(unheardOf, hello)]);
    expect(counts).toEqual([undefined, undefined]);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("the thread that counts tokens died")]]);
    expect(thread.threadId).toBeUndefined();
    expect(await thread.count("cl100k", hello)).toEqual(helloCount);
  });

  it("keeps nobody waiting whose call has ended, and counts for the others", async () => {
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

  it("ends when nobody has needed it for a while", async () => {
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

  it("keeps a process alive until the count is there, and no longer", async () => {
    const { href } = new URL("../../src/tokens/counting-thread.ts", import.meta.url);
    const program = `import { countingThread } from ${JSON.stringify(href)};
      console.log(JSON.stringify(await countingThread.count("cl100k", ${JSON.stringify(hello)})));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      timeout: 15_000,
    });
    expect(JSON.parse(stdout)).toEqual(helloCount);
  });
});
