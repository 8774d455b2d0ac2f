import { existsSync, rmSync, statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { listSegments, segmentPath } from "../../../src/ledger/outbox/segments.ts";
import {
  FaultyFiles,
  MemorySink,
  mark,
  openOutbox,
  openShipper,
  record,
  systemError,
  temporaryFolder,
} from "./harness.ts";

describe("a slow disk", () => {
  it("holds up a call for 250 ms at most, and no other work", async () => {
    const files = new FaultyFiles();
    const stalled = Promise.withResolvers<void>();
    const { writer, log } = openOutbox(temporaryFolder(), { files });
    files.beforeWrite = () => stalled.promise;
    const start = performance.now();
    const waits = [writer.begin(mark("a")), writer.settle(record("b"))];
    let turns = 0;
    const counting = (async () => {
      while (!writer.state.late) {
        await nextTurn();
        turns++;
      }
    })();
    await Promise.all([...waits, counting]);
    expect(performance.now() - start).toBeGreaterThan(200);
    expect(turns).toBeGreaterThan(10);
    expect(writer.settle(record("c"))).toBeInstanceOf(Promise);
    stalled.resolve();
    await writer.close();
    expect(writer.state).toMatchObject({ late: 2, dropped: 0, written: 2, waiting: 0 });
    expect(log.messages).toEqual(["the outbox is slow: calls did not wait until their record or mark was written"]);
  });

  it.each([
    "drop",
    "refuse",
  ] as const)("fills memory up to a bound, and then does what on_full says: %s", async (onFull) => {
    const files = new FaultyFiles();
    const stalled = Promise.withResolvers<void>();
    const { writer, log } = openOutbox(temporaryFolder(), { files, onFull });
    files.beforeWrite = () => stalled.promise;
    for (let index = 0; index < 10_050; index++) void writer.settle(record(String(index)));
    expect(writer.state).toMatchObject({ dropped: 50, waiting: 10_000 });
    expect(writer.isRefusing).toBe(onFull === "refuse");
    stalled.resolve();
    await writer.close();
    expect(writer.isRefusing).toBe(false);
    expect(writer.state).toMatchObject({ written: 10_000, dropped: 50 });
    // The first dropped record at once, the others when the writer closes.
    expect(log.lines.filter(({ fields }) => fields.count === 49)).toHaveLength(1);
  });
});

describe("a disk that is full", () => {
  it("keeps records in memory, and writes them when there is room", async () => {
    const files = new FaultyFiles();
    const outbox = temporaryFolder();
    const { folder, writer, log } = openOutbox(outbox, { files, onFull: "refuse" });
    await writer.settle(record("before"));
    files.beforeWrite = () => {
      throw systemError("ENOSPC");
    };
    await writer.settle(record("during"));
    expect(writer.state).toMatchObject({ failure: "ENOSPC", late: 1, dropped: 0 });
    expect(writer.isRefusing).toBe(true);
    expect(writer.settle(record("not held up"))).toBeUndefined();
    files.beforeWrite = () => {};
    await vi.waitUntil(() => writer.state.waiting === 0, { timeout: 5_000 });
    expect(writer.isRefusing).toBe(false);
    const sink = new MemorySink();
    await openShipper(outbox, [sink], { instance: folder.instance }).shipAll();
    expect(Object.keys(sink.outcomes)).toEqual(["before", "during", "not held up"]);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ["warn", "call records cannot be written to the outbox: Dragoman rejects new calls"],
      ["warn", "the outbox is slow: calls did not wait until their record or mark was written"],
      ["info", "call records can be written to the outbox again"],
    ]);
  });

  it("leaves no part of a failed write behind, or begins another segment", async () => {
    const files = new FaultyFiles();
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox, { files });
    await writer.settle(record("a"));
    const { size } = statSync(segmentPath(folder.path, 1));
    let canTruncate = true;
    files.beforeTruncate = () => {
      if (!canTruncate) throw systemError("EIO");
    };
    for (const id of ["b", "c"]) {
      let failures = 1;
      files.beforeWrite = () => {
        if (failures-- > 0) throw systemError("EIO");
      };
      void writer.settle(record(id));
      await vi.waitUntil(() => writer.state.waiting === 0, { timeout: 5_000 });
      canTruncate = false;
    }
    expect(listSegments(folder.path)).toEqual([1, 2]);
    expect(statSync(segmentPath(folder.path, 1)).size).toBe(2 * size);
    const sink = new MemorySink();
    await openShipper(outbox, [sink], { instance: folder.instance }).shipAll();
    expect(sink.outcomes).toEqual({ a: "OK", b: "OK", c: "OK" });
  });

  it("drops with a count what cannot be written when the process ends", async () => {
    const files = new FaultyFiles();
    const { writer, log } = openOutbox(temporaryFolder(), { files });
    files.beforeWrite = () => {
      throw systemError("EDQUOT");
    };
    await writer.settle(record("a"));
    void writer.settle(record("b"));
    await writer.close();
    expect(writer.state).toMatchObject({ dropped: 2, written: 0 });
    const dropped = log.lines.filter(({ message }) => message.includes("were dropped"));
    expect(dropped.reduce((sum, { fields }) => sum + Number(fields.count), 0)).toBe(2);
  });
});

describe("an outbox of maximum size", () => {
  it("takes no more until the shipper has deleted a segment", async () => {
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox, { maxOutboxBytes: 5_000, segmentBytes: 1_000, onFull: "refuse" });
    let count = 0;
    while (writer.state.failure === undefined) await writer.settle(record(String(count++)));
    expect(writer.state.failure).toBe("the outbox has its maximum size, store.max_outbox_size: 5KB");
    expect(writer.isRefusing).toBe(true);
    const sink = new MemorySink();
    const shipper = openShipper(outbox, [sink], { instance: folder.instance });
    await shipper.shipAll();
    await vi.waitUntil(() => !writer.isRefusing, { timeout: 5_000 });
    await writer.close();
    await shipper.shipAll();
    expect(sink.records.size).toBe(count);
    expect(writer.state.dropped).toBe(0);
  });
});

describe("a folder that somebody removes", () => {
  it("is made again, with the marks of calls in progress, and the records in it are counted as dropped", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox);
    await writer.begin(mark("running"));
    for (const id of ["a", "b"]) await writer.settle(record(id));
    rmSync(outbox, { recursive: true });
    const now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => now + 2_000);
    await writer.settle(record("c"));
    expect(writer.state).toMatchObject({ dropped: 2, written: 3, failure: undefined });
    await writer.close();
    abandon();
    const sink = new MemorySink();
    const shipper = openShipper(outbox, [sink]);
    shipper.adopt();
    await shipper.shipAll();
    expect(sink.outcomes).toEqual({ c: "OK", running: "LOST" });
    expect(existsSync(folder.path)).toBe(false);
  });
});
