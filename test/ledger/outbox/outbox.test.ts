import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { rejectedPath } from "../../../src/ledger/outbox/deliver.ts";
import { headerBytes, sealFrame } from "../../../src/ledger/outbox/frame.ts";
import { listSegments, segmentPath } from "../../../src/ledger/outbox/segments.ts";
import { FaultyFiles, Lines, MemorySink, mark, openOutbox, openShipper, record, temporaryFolder } from "./harness.ts";

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
    // The second line comes within a second, or at the end.
    await shipper.stop();
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields.sink])).toEqual([
      ["warn", "call records cannot be shipped; they wait in the outbox", "slow"],
      ["info", "call records are shipped again", "slow"],
    ]);
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
