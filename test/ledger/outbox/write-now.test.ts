import { describe, expect, it, vi } from "vitest";
import { systemFiles } from "../../../src/ledger/outbox/files.ts";
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

/** Functions on files that count the writes at once and in the background, and can fail or be slow. */
class CountedFiles extends FaultyFiles {
  readonly writes: ("now" | "background")[] = [];
  beforeWriteNow: () => void = () => {};
  /** Bytes that a failed write leaves behind. */
  partBytes = 0;

  override write(descriptor: number, bytes: Buffer, position: number): Promise<void> {
    this.writes.push("background");
    return super.write(descriptor, bytes, position);
  }

  writeNow(descriptor: number, bytes: Buffer, position: number): void {
    this.writes.push("now");
    try {
      this.beforeWriteNow();
    } catch (error) {
      systemFiles.writeNow?.(descriptor, bytes.subarray(0, this.partBytes), position);
      throw error;
    }
    systemFiles.writeNow?.(descriptor, bytes, position);
  }
}

async function open(durability: "process" | "disk" | "async" = "process") {
  const [outbox, files] = [temporaryFolder(), new CountedFiles()];
  const opened = openOutbox(outbox, { files, durability });
  await opened.writer.begin(mark("first"));
  await vi.waitUntil(() => opened.writer.state.waiting === 0);
  files.writes.length = 0;
  const ship = async () => {
    const sink = new MemorySink();
    await openShipper(outbox, [sink], { instance: opened.folder.instance }).shipAll();
    return sink.outcomes;
  };
  return { ...opened, files, ship };
}

/** Moves the clock on in each later write at once. */
function slowWrites(files: CountedFiles, ms: number): { advance(by: number): void } {
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => now);
  files.beforeWriteNow = () => {
    now += ms;
  };
  return {
    advance(by) {
      now += by;
    },
  };
}

describe("a quick disk", () => {
  it.each([
    "process",
    "async",
  ] as const)("gets each frame at once, and no call waits: durability %s", async (durability) => {
    const { writer, files, ship } = await open(durability);
    expect(writer.begin(mark("a"))).toBeUndefined();
    expect(writer.settle(record("a"))).toBeUndefined();
    expect(writer.state).toMatchObject({ written: 1, waiting: 0, waitingBytes: 0, late: 0, pendingRecords: 1 });
    expect(files.writes).toEqual(["now", "now"]);
    expect(await ship()).toEqual({ a: "OK" });
  });

  it("is synced in the background with durability disk", async () => {
    const { writer, files } = await open("disk");
    await writer.settle(record("a"));
    expect(files.writes).toEqual(["background"]);
  });

  it("gets a large record in the background", async () => {
    const { writer, files } = await open();
    await writer.settle({ ...record("a"), user: "x".repeat(2 ** 17) });
    expect(files.writes).toEqual(["background"]);
  });
});

describe("a disk that becomes slow", () => {
  it("gets frames in the background until slow writes have taken 1 % of the time, but for 25 ms", async () => {
    const { writer, files, ship } = await open();
    const clock = slowWrites(files, 10);
    for (const id of ["1", "2", "3"]) expect(writer.settle(record(id))).toBeUndefined();
    clock.advance(479);
    await writer.settle(record("a"));
    clock.advance(2);
    expect(writer.settle(record("b"))).toBeUndefined();
    expect(files.writes).toEqual(["now", "now", "now", "background", "now"]);
    expect(await ship()).toEqual({ 1: "OK", 2: "OK", 3: "OK", a: "OK", b: "OK" });
  });

  it("does not change how frames are written if a write takes at most 2 ms", async () => {
    const { writer, files } = await open();
    slowWrites(files, 2);
    for (const id of ["a", "b"]) expect(writer.settle(record(id))).toBeUndefined();
    expect(files.writes).toEqual(["now", "now"]);
  });
});

describe("a write at once that fails", () => {
  it("is repeated in the background, in place of what it left behind", async () => {
    const { writer, files, ship } = await open();
    files.beforeWriteNow = () => {
      files.beforeWriteNow = () => {};
      throw systemError("EIO");
    };
    files.partBytes = 20;
    await writer.settle(record("a"));
    expect(writer.settle(record("b"))).toBeUndefined();
    expect(files.writes).toEqual(["now", "background", "now"]);
    expect(writer.state).toMatchObject({ written: 2, failure: undefined, late: 0 });
    expect(await ship()).toEqual({ a: "OK", b: "OK" });
  });
});
