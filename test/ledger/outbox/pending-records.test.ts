import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PendingRecords } from "../../../src/ledger/outbox/pending-records.ts";
import { segmentPath } from "../../../src/ledger/outbox/segments.ts";
import { MemorySink, mark, openOutbox, openShipper, record, temporaryFolder } from "./harness.ts";

it("counts the records that the database lacks, and not what another sink lacks", async () => {
  const [outbox, pending] = [temporaryFolder(), new PendingRecords()];
  const { folder, writer } = openOutbox(outbox, { pending });
  const [database, collector] = [new MemorySink("database"), new MemorySink("collector")];
  const shipper = openShipper(outbox, [database, collector], { instance: folder.instance, pending });
  database.isAway = true;
  await writer.begin(mark("a"));
  for (const id of ["a", "b", "c"]) await writer.settle(record(id));
  await shipper.shipAll();
  expect([pending.total, writer.state.pendingRecords]).toEqual([3, 3]);
  [database.isAway, collector.isAway] = [false, true];
  await shipper.shipAll();
  expect(writer.state.pendingRecords).toBe(0);
});

it("counts records that wait for a write, but no marks", async () => {
  const { writer } = openOutbox(temporaryFolder());
  const written = Promise.all([writer.begin(mark("a")), writer.settle(record("b"))]);
  expect(writer.state).toMatchObject({ waiting: 2, pendingRecords: 1 });
  await written;
  expect(writer.state).toMatchObject({ waiting: 0, pendingRecords: 1 });
});

it("counts what an ended process left, from the position of the database and with its lost calls", async () => {
  const outbox = temporaryFolder();
  const before = openOutbox(outbox, { segmentBytes: 500 });
  const database = new MemorySink("database");
  const first = openShipper(outbox, [database], { instance: before.folder.instance });
  for (let index = 0; index < 20; index++) await before.writer.settle(record(`stored-${index}`));
  await first.shipAll();
  await first.stop();
  await before.writer.begin(mark("lost"));
  for (let index = 0; index < 30; index++) await before.writer.settle(record(`left-${index}`));
  before.abandon();
  const pending = new PendingRecords();
  const second = openShipper(outbox, [database], { pending });
  second.adopt();
  expect(pending.total).toBe(31);
  await second.shipAll();
  expect([pending.total, database.records.size]).toEqual([0, 51]);
});

it("counts a record that cannot be decoded until the database has had its turn", async () => {
  const [outbox, pending] = [temporaryFolder(), new PendingRecords()];
  const { folder, writer, abandon } = openOutbox(outbox);
  for (const id of ["a", "b", "c"]) await writer.settle(record(id));
  abandon();
  const file = segmentPath(folder.path, 1);
  const bytes = readFileSync(file);
  bytes.fill(0, bytes.length / 3 + 20, bytes.length / 3 + 30);
  writeFileSync(file, bytes);
  const [database] = [new MemorySink("database")];
  database.poison.add("c");
  const shipper = openShipper(outbox, [database], { pending });
  shipper.adopt();
  expect(pending.total).toBe(2);
  await shipper.shipAll();
  expect([pending.total, [...database.records.keys()]]).toEqual([0, ["a"]]);
});

it("forgets the records of a folder that somebody removed", async () => {
  const [outbox, pending] = [temporaryFolder(), new PendingRecords()];
  const { folder, writer } = openOutbox(outbox, { pending });
  await writer.settle(record("gone"));
  expect(writer.state.pendingRecords).toBe(1);
  rmSync(folder.path, { recursive: true });
  await writer.close();
  expect(writer.state.pendingRecords).toBe(0);
});

it("keeps the count of this process when the thread that ships starts again", async () => {
  const [outbox, pending] = [temporaryFolder(), new PendingRecords()];
  const { folder, writer } = openOutbox(outbox, { pending });
  const database = new MemorySink("database");
  const shared = () => new PendingRecords(pending.memory);
  await openShipper(outbox, [database], { instance: folder.instance, pending: shared() }).stop();
  for (const id of ["a", "b"]) await writer.settle(record(id));
  const again = openShipper(outbox, [database], { instance: folder.instance, pending: shared() });
  expect(writer.state.pendingRecords).toBe(2);
  await again.shipAll();
  expect(writer.state.pendingRecords).toBe(0);
});
