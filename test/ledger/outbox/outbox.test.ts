import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { rejectedPath } from "../../../src/ledger/outbox/deliver.ts";
import { headerBytes, sealFrame } from "../../../src/ledger/outbox/frame.ts";
import { listSegments, segmentPath } from "../../../src/ledger/outbox/segments.ts";
import {
  FaultyFiles,
  Lines,
  MemorySink,
  mark,
  openOutbox,
  openShipper,
  record,
  systemError,
  temporaryFolder,
} from "./harness.ts";

describe("a record", () => {
  it.each([
    "process",
    "disk",
  ] as const)("is in a file when the wait for it ends (durability %s)", async (durability) => {
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox, { durability });
    await writer.begin(mark("a"));
    await writer.settle(record("a"));
    const [segment = 0] = listSegments(folder.path);
    expect(readFileSync(segmentPath(folder.path, segment)).includes("billing")).toBe(true);
    const sink = new MemorySink();
    expect(await openShipper(outbox, [sink], { instance: folder.instance }).shipAll()).toBe(true);
    expect(sink.outcomes).toEqual({ a: "OK" });
    expect(sink.records.get("a")).toEqual(record("a"));
  });

  it("is written, but not waited for, with durability async", async () => {
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox, { durability: "async" });
    expect([writer.begin(mark("a")), writer.settle(record("a"))]).toEqual([undefined, undefined]);
    await writer.close();
    const sink = new MemorySink();
    await openShipper(outbox, [sink], { instance: folder.instance }).shipAll();
    expect(sink.outcomes).toEqual({ a: "OK" });
  });

  it("is written together with all others that arrive during a write", async () => {
    const files = new FaultyFiles();
    const sizes: number[] = [];
    const blocked = Promise.withResolvers<void>();
    files.beforeWrite = (bytes) => {
      // A segment begins with the marks of calls in progress: none.
      if (bytes.length > 0) sizes.push(bytes.length);
      return sizes.length === 1 ? blocked.promise : undefined;
    };
    const { writer } = openOutbox(temporaryFolder(), { files });
    const first = writer.settle(record("0"));
    await vi.waitUntil(() => sizes.length === 1, { interval: 1 });
    const rest = Array.from({ length: 100 }, (_, index) => writer.settle(record(String(index + 1))));
    blocked.resolve();
    await Promise.all([first, ...rest]);
    expect(sizes).toHaveLength(2);
  });

  it("is dropped and counted if it is too large for a frame", () => {
    const { writer, log } = openOutbox(temporaryFolder());
    expect(writer.settle(record("a", { user: "x".repeat(2 ** 24) }))).toBeUndefined();
    expect(writer.state).toMatchObject({ dropped: 1, waiting: 0 });
    expect(log.lines).toMatchObject([{ level: "warn", fields: { count: 1 } }]);
  });
});

describe("a process that ends", () => {
  it("leaves a record of every call: its own, or lost", async () => {
    const outbox = temporaryFolder();
    const { writer, abandon } = openOutbox(outbox);
    for (const id of ["settled", "running"]) await writer.begin(mark(id));
    await writer.settle(record("settled"));
    await writer.settle(record("refused", { outcome: "refused" }));
    abandon();
    const sink = new MemorySink();
    const log = new Lines();
    const shipper = openShipper(outbox, [sink], { log });
    shipper.adopt();
    await shipper.shipAll();
    expect(sink.outcomes).toEqual({ settled: "OK", refused: "REFUSED", running: "LOST" });
    expect(sink.records.get("running")).toEqual(mark("running"));
    expect(log.lines).toMatchObject([{ level: "info", fields: { lost: 1 } }]);
    expect(readdirSync(outbox)).toEqual([]);
  });

  it("ships everything and removes its folder if it has the time", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox);
    const sink = new MemorySink();
    const shipper = openShipper(outbox, [sink], { instance: folder.instance });
    shipper.start();
    for (let index = 0; index < 1200; index++) void writer.settle(record(String(index)));
    await writer.close();
    expect(await shipper.flush(5_000)).toBe(true);
    expect(sink.records.size).toBe(1200);
    expect(Math.max(...sink.batches)).toBeLessThanOrEqual(500);
    abandon();
    expect(readdirSync(outbox)).toEqual([]);
  });

  it("leaves to the next one what a sink does not accept in time", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox);
    const sink = new MemorySink();
    sink.store = () => new Promise(() => {});
    await writer.settle(record("a"));
    await writer.close();
    expect(await openShipper(outbox, [sink], { instance: folder.instance }).flush(20)).toBe(false);
    abandon();
    const next = new MemorySink();
    const shipper = openShipper(outbox, [next]);
    shipper.adopt();
    await shipper.shipAll();
    expect(next.outcomes).toEqual({ a: "OK" });
  });

  it("writes what waits before it exits, also the batch whose write may never end", async () => {
    const files = new FaultyFiles();
    const outbox = temporaryFolder();
    const { writer, abandon } = openOutbox(outbox, { files });
    const reached = Promise.withResolvers<void>();
    files.beforeWrite = (bytes) => {
      if (bytes.length === 0) return undefined;
      reached.resolve();
      return new Promise<void>(() => {});
    };
    void writer.settle(record("in flight"));
    await reached.promise;
    void writer.settle(record("waiting"));
    writer.flushSync();
    abandon();
    const sink = new MemorySink();
    const shipper = openShipper(outbox, [sink]);
    shipper.adopt();
    await shipper.shipAll();
    expect(sink.outcomes).toEqual({ "in flight": "OK", waiting: "OK" });
  });
});

describe("segments", () => {
  it("begin with the marks of the calls in progress, so that older ones can be deleted", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox, { segmentBytes: 1_000 });
    const sink = new MemorySink();
    const shipper = openShipper(outbox, [sink], { instance: folder.instance });
    await writer.begin(mark("long"));
    for (let index = 0; index < 50; index++) {
      await writer.begin(mark(String(index)));
      await writer.settle(record(String(index)));
    }
    await shipper.shipAll();
    expect(listSegments(folder.path)).toHaveLength(1);
    expect(listSegments(folder.path)[0]).toBeGreaterThan(10);
    await shipper.stop();
    abandon();
    const next = openShipper(outbox, [sink]);
    next.adopt();
    await next.shipAll();
    expect(sink.records.size).toBe(51);
    expect(sink.outcomes.long).toBe("LOST");
  });

  it("stay until every sink has them, each from its own position", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox, { segmentBytes: 500 });
    const [fast, slow] = [new MemorySink("fast"), new MemorySink("slow")];
    slow.isAway = true;
    const log = new Lines();
    const shipper = openShipper(outbox, [fast, slow], { instance: folder.instance, log });
    for (let index = 0; index < 20; index++) await writer.settle(record(String(index)));
    expect(await shipper.shipAll()).toBe(false);
    expect(await shipper.shipAll()).toBe(false);
    expect([fast.records.size, fast.repeated, slow.records.size]).toEqual([20, 0, 0]);
    expect(listSegments(folder.path).length).toBeGreaterThan(3);
    expect(shipper.state.sinks).toMatchObject([{ failure: undefined }, { failure: "the sink is away" }]);
    slow.isAway = false;
    expect(await shipper.shipAll()).toBe(true);
    expect(slow.records.size).toBe(20);
    expect(shipper.state).toMatchObject({
      pendingBytes: 0,
      sinks: [{ stored: 20 }, { stored: 20, failure: undefined }],
    });
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields.sink])).toEqual([
      ["warn", "call records cannot be shipped; they wait in the outbox", "slow"],
      ["info", "call records are shipped again", "slow"],
    ]);
    await shipper.stop();
    abandon();
  });

  it("are read on after a damage, which is reported once with its file and size", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox);
    for (const id of ["a", "b", "c"]) await writer.settle(record(id));
    abandon();
    const file = segmentPath(folder.path, 1);
    const bytes = readFileSync(file);
    const size = bytes.length / 3;
    bytes.fill(0, size + 20, size + 30);
    writeFileSync(file, bytes);
    truncateSync(file, bytes.length - 1);
    const sinks = [new MemorySink("one"), new MemorySink("two")];
    const log = new Lines();
    const shipper = openShipper(outbox, sinks, { log });
    shipper.adopt();
    await shipper.shipAll();
    expect(sinks.map(({ outcomes }) => outcomes)).toEqual([{ a: "OK" }, { a: "OK" }]);
    const message = "a segment of the outbox has bytes that are no record; they were skipped";
    expect(log.lines.filter((line) => line.message === message)).toEqual([
      { level: "warn", message, fields: { file, bytes: bytes.length - 1 - size } },
    ]);
  });
});

describe("a frame that cannot be decoded", () => {
  it("is reported and skipped, also when a process takes over the folder", async () => {
    const outbox = temporaryFolder();
    const { folder, writer, abandon } = openOutbox(outbox);
    await writer.settle(record("a"));
    const frame = Buffer.concat([Buffer.alloc(headerBytes), Buffer.from([0xff, 0xff])]);
    sealFrame(frame, "record");
    appendFileSync(segmentPath(folder.path, 1), frame);
    abandon();
    const sink = new MemorySink();
    const log = new Lines();
    const shipper = openShipper(outbox, [sink], { log });
    shipper.adopt();
    expect(await shipper.shipAll()).toBe(true);
    expect(sink.outcomes).toEqual({ a: "OK" });
    expect(log.lines.filter(({ level }) => level === "warn")).toMatchObject([{ fields: { bytes: frame.length } }]);
    expect(readdirSync(outbox)).toEqual([]);
  });
});

describe("a record that a sink never accepts", () => {
  it("goes to a file beside the outbox, and holds up no other", async () => {
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox);
    const sink = new MemorySink();
    sink.poison.add("7").add("30");
    const log = new Lines();
    for (let index = 0; index < 64; index++) void writer.settle(record(String(index)));
    await writer.close();
    const shipper = openShipper(outbox, [sink], { instance: folder.instance, log });
    expect(await shipper.shipAll()).toBe(true);
    expect(sink.records.size).toBe(62);
    const lines = readFileSync(rejectedPath(outbox, "memory"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { error: "a value is too long", record: { id: "7", account: "billing", outcome: "CALL_OUTCOME_OK" } },
      { record: { id: "30" } },
    ]);
    expect(shipper.state.sinks).toMatchObject([{ stored: 62, rejected: 2 }]);
    expect(log.lines).toMatchObject([{ level: "warn", fields: { count: 2, sink: "memory" } }]);
  });
});

describe("folders of other processes", () => {
  it("are left alone if they have an owner or another database, which is logged once", async () => {
    const outbox = temporaryFolder();
    const [alive, other] = [openOutbox(outbox), openOutbox(outbox, { database: "postgres://db:5432/other" })];
    for (const { writer } of [alive, other]) await writer.settle(record("a"));
    other.abandon();
    const sink = new MemorySink();
    const log = new Lines();
    const shipper = openShipper(outbox, [sink], { log });
    for (let time = 0; time < 3; time++) shipper.adopt();
    await shipper.shipAll();
    expect(sink.records.size).toBe(0);
    expect(log.lines).toMatchObject([
      { level: "warn", fields: { folder: other.folder.path, database: "postgres://db:5432/other" } },
    ]);
    expect([alive, other].map(({ folder }) => existsSync(folder.path))).toEqual([true, true]);
  });

  it("are removed if their process ended before it named a database", async () => {
    const outbox = temporaryFolder();
    const { folder, abandon } = openOutbox(outbox);
    rmSync(join(folder.path, "database"));
    writeFileSync(segmentPath(folder.path, 1), "");
    abandon();
    const shipper = openShipper(outbox, [new MemorySink()]);
    shipper.adopt();
    await shipper.shipAll();
    expect(readdirSync(outbox)).toEqual([]);
  });
});

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
