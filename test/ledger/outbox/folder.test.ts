import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { databaseOf, listFolders, OutboxFolder } from "../../../src/ledger/outbox/folder.ts";
import { FileLock } from "../../../src/ledger/outbox/lock.ts";
import { database, temporaryFolder } from "./harness.ts";

describe("the lock of a folder", () => {
  it("has one owner at a time, also within one process", () => {
    const path = join(temporaryFolder(), "lock.db");
    const first = FileLock.acquire(path);
    expect(first).toBeDefined();
    expect(FileLock.acquire(path)).toBeUndefined();
    first?.release();
    first?.release();
    const second = FileLock.acquire(path);
    expect(second).toBeDefined();
    second?.release();
  });

  it("throws if the folder does not exist", () => {
    expect(() => FileLock.acquire(join(temporaryFolder(), "missing", "lock.db"))).toThrow();
  });
});

describe("the folder of a process", () => {
  it("names its database, and is removed at the end unless it has segments", () => {
    const outbox = join(temporaryFolder(), "deep", "outbox");
    const [empty, used] = [OutboxFolder.create(outbox, database), OutboxFolder.create(outbox, database)];
    expect([...listFolders(outbox)].sort()).toEqual([empty.path, used.path].sort());
    expect(databaseOf(used.path)).toBe(database);
    writeFileSync(join(used.path, "00000001.segment"), "");
    for (const folder of [empty, used]) folder.release();
    expect(listFolders(outbox)).toEqual([used.path]);
  });

  it("can be taken over only when its owner has ended", () => {
    const outbox = temporaryFolder();
    const folder = OutboxFolder.create(outbox, database);
    writeFileSync(join(folder.path, "00000001.segment"), "");
    expect(OutboxFolder.adopt(folder.path)).toBeUndefined();
    folder.release();
    const adopted = OutboxFolder.adopt(folder.path);
    expect(adopted?.instance).toBe(folder.instance);
    expect(OutboxFolder.adopt(folder.path)).toBeUndefined();
    rmSync(join(folder.path, "00000001.segment"));
    adopted?.release();
    expect([existsSync(folder.path), OutboxFolder.adopt(folder.path)]).toEqual([false, undefined]);
  });

  it("can be made again as soon as that is possible", () => {
    const outbox = temporaryFolder();
    const folder = OutboxFolder.create(outbox, database);
    onTestFinished(() => folder.release());
    rmSync(outbox, { recursive: true });
    writeFileSync(outbox, "a file in its place");
    for (let time = 0; time < 2; time++) expect(() => folder.restore(database)).toThrow(/ENOTDIR|EEXIST/);
    rmSync(outbox);
    folder.restore(database);
    expect(databaseOf(folder.path)).toBe(database);
    expect(OutboxFolder.adopt(folder.path)).toBeUndefined();
  });

  it("leaves other files and folders in the outbox alone", () => {
    const outbox = temporaryFolder();
    mkdirSync(join(outbox, "lost+found"));
    writeFileSync(join(outbox, "rejected-database.jsonl"), "");
    expect([listFolders(outbox), listFolders(join(outbox, "missing"))]).toEqual([[], []]);
    expect(readdirSync(outbox)).toHaveLength(2);
  });
});
