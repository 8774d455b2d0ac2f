import fc from "fast-check";
import { expect, it } from "vitest";
import { type OutboxFiles, systemFiles } from "../../../src/ledger/outbox/files.ts";
import { MemorySink, mark, openOutbox, openShipper, record, temporaryFolder } from "./harness.ts";

/** Step of a script: call `call` asks a provider or settles, or everything in the outbox is shipped. */
type Step = { readonly kind: "begin" | "settle"; readonly call: number } | { readonly kind: "ship" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("begin" as const), call: fc.nat(15) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("settle" as const), call: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("ship" as const) }) },
);

/** Functions on files of a process that is killed during one of its operations, after a part of the bytes of a write. */
class KilledFiles implements OutboxFiles {
  readonly #killed = Promise.withResolvers<void>();
  #left: number;
  readonly #share: number;
  isKilled = false;

  /** `writesNow`: whether the disk is quick, so that frames are written at once. */
  constructor(operations: number, share: number, writesNow: boolean) {
    this.#left = operations;
    this.#share = share;
    if (writesNow) this.writeNow = (descriptor, bytes, position) => this.#writeNow(descriptor, bytes, position);
  }

  /** Resolves when the process is killed. */
  get killed(): Promise<void> {
    return this.#killed.promise;
  }

  readonly create = (path: string) => this.#run(() => systemFiles.create(path));
  readonly truncate = (descriptor: number, length: number) => this.#run(() => systemFiles.truncate(descriptor, length));
  readonly sync = (descriptor: number) => this.#run(() => systemFiles.sync(descriptor));
  readonly syncFolder = (path: string) => this.#run(() => systemFiles.syncFolder(path));
  readonly close = (descriptor: number) => this.#run(() => systemFiles.close(descriptor));
  readonly remove = (path: string) => this.#run(() => systemFiles.remove(path));
  readonly isLinked = systemFiles.isLinked;
  readonly segmentBytes = systemFiles.segmentBytes;
  readonly writeNow: OutboxFiles["writeNow"];

  write(descriptor: number, bytes: Buffer, position: number): Promise<void> {
    const part = bytes.subarray(0, Math.floor(bytes.length * this.#share));
    return this.#run(
      () => systemFiles.write(descriptor, bytes, position),
      () => systemFiles.write(descriptor, part, position),
    );
  }

  #writeNow(descriptor: number, bytes: Buffer, position: number): void {
    if (this.#left-- > 0) {
      systemFiles.writeNow?.(descriptor, bytes, position);
      return;
    }
    if (!this.isKilled) {
      systemFiles.writeNow?.(descriptor, bytes.subarray(0, Math.floor(bytes.length * this.#share)), position);
    }
    this.isKilled = true;
    this.#killed.resolve();
    throw new Error("the process is killed");
  }

  /** Runs an operation. Once the process is killed, no operation ends. `last`: what remains of the last one. */
  async #run<T>(operation: () => Promise<T>, last?: () => Promise<void>): Promise<T> {
    if (this.isKilled) return new Promise(() => {});
    if (this.#left-- > 0) return operation();
    this.isKilled = true;
    await last?.();
    this.#killed.resolve();
    return new Promise(() => {});
  }
}

it("has exactly one record of each call, whenever the process is killed and whatever was shipped before", async () => {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.nat(60),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom("process", "disk"),
      fc.boolean(),
      async (steps, operations, share, durability, writesNow) => {
        const outbox = temporaryFolder();
        const files = new KilledFiles(operations, share, writesNow);
        const { folder, writer, abandon } = openOutbox(outbox, { files, durability, segmentBytes: 700 });
        const sink = new MemorySink();
        const shipper = openShipper(outbox, [sink], { instance: folder.instance });
        const [begun, settled] = [new Set<string>(), new Set<string>()];
        const acknowledged = { begun: new Set<string>(), settled: new Set<string>() };
        const wait = async (id: string, kind: "begun" | "settled", write: () => Promise<void> | undefined) => {
          const { late } = writer.state;
          await Promise.race([write(), files.killed]);
          if (!files.isKilled && writer.state.late === late) acknowledged[kind].add(id);
        };
        let shipping: Promise<unknown> = Promise.resolve();
        for (const next of steps) {
          if (files.isKilled) break;
          if (next.kind === "ship") {
            // While the next steps go on.
            shipping = shipping.then(() => shipper.shipAll());
            continue;
          }
          const id = String(next.call);
          if (settled.has(id) || (next.kind === "begin" && begun.has(id))) continue;
          if (next.kind === "begin") {
            begun.add(id);
            await wait(id, "begun", () => writer.begin(mark(id)));
          } else {
            settled.add(id);
            await wait(id, "settled", () => writer.settle(record(id)));
          }
        }
        if (files.isKilled) crashes++;
        await shipping;
        await shipper.stop();
        abandon();
        // Twice: a record that was shipped before is not shipped again as lost.
        for (let time = 0; time < 2; time++) {
          const next = openShipper(outbox, [sink]);
          next.adopt();
          expect(await next.shipAll()).toBe(true);
          await next.stop();
        }
        const { outcomes } = sink;
        for (const id of acknowledged.begun) expect(outcomes[id], id).toBeDefined();
        for (const id of acknowledged.settled) expect(outcomes[id], id).toBe("OK");
        for (const [id, outcome] of Object.entries(outcomes)) {
          expect(outcome === "OK" ? settled.has(id) : begun.has(id), id).toBe(true);
        }
      },
    ),
    { numRuns: Number(process.env.LEDGER_RUNS ?? 150) },
  );
  // Otherwise the law has tested nothing.
  expect(crashes).toBeGreaterThan(10);
}, 120_000);
