import cluster from "node:cluster";
import type { Log } from "../telemetry/log.ts";
import { Backoff } from "./backoff.ts";
import { LimitPool } from "./limits/limit-pool.ts";
import { type Ended, Member } from "./member.ts";
import type { Report } from "./messages.ts";
import { MetricsGatherer } from "./metrics-gatherer.ts";

/** Time in ms that the end of a worker takes at most, beside the time that its calls get. */
const endMs = 10_000;

/** Time in ms that workers have to write the records of calls that end at once. */
const abortMs = 2_000;

interface SupervisorOptions {
  readonly workers: number;
  /** Returns the longest time in ms that a worker that stops waits for load balancers and for its calls. */
  readonly stopMs: () => number;
  readonly log: Log;
  readonly writeLog: (line: string) => void;
  readonly writeError: (line: string) => void;
}

/** Place of a worker: the one that runs, and the one that takes over from it. */
interface Slot {
  readonly worker: number;
  readonly backoff: Backoff;
  current: Member | undefined;
  successor: Member | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** Starts the workers, and starts those again that end. Serves no calls itself. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #members = new Set<Member>();
  readonly #limits = new LimitPool({
    send: (id, order) => this.#memberOf(id)?.send({ kind: "limits", order }),
  });
  readonly #metrics = new MetricsGatherer({
    ask: () => {
      const ready = [...this.#members].filter(({ isReady }) => isReady);
      for (const member of ready) member.send({ kind: "measure" });
      return ready.map(({ id }) => id);
    },
  });
  /** What workers wrote for people before all had started. */
  readonly #held = new Map<Member, string[]>();
  readonly #sinceMs = Date.now();
  #hasStarted = false;
  #isStopping = false;
  #restarting: Promise<void> = Promise.resolve();
  #nextRestart: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => {
      return { worker: index + 1, backoff: new Backoff(), current: undefined, successor: undefined, timer: undefined };
    });
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ silent: true });
  }

  /**
   * Starts all workers, and returns the start lines of one of them. Undefined: a worker has not started, and all others
   * have ended, too. What keeps workers from starting is written once.
   */
  async start(): Promise<readonly string[] | undefined> {
    const members = this.#slots.map((slot) => this.#begin(slot));
    const failed = await firstThatFails(members);
    this.#hasStarted = failed === undefined;
    if (failed !== undefined && !this.#isStopping) await this.abort();
    const written = failed === undefined ? [...this.#held.values()] : [this.#held.get(failed) ?? []];
    for (const line of written.flat()) this.#options.writeError(line);
    this.#held.clear();
    return failed === undefined ? members[0]?.ready : undefined;
  }

  /**
   * Replaces each worker by a new one, one after the other, without failing a call. Stops if a new worker does not start:
   * the others stay.
   */
  restart(): Promise<void> {
    this.#nextRestart ??= this.#restarting.then(() => {
      this.#nextRestart = undefined;
      return this.#restartAll();
    });
    this.#restarting = this.#nextRestart;
    return this.#nextRestart;
  }

  /** Lets all workers read their configuration again. One that starts meanwhile reads it when it is ready. */
  reload(): void {
    for (const member of this.#members) {
      void member.ready.then((lines) => lines && member.send({ kind: "reload" }));
    }
  }

  /** Stops all workers. Returns whether each has ended by itself, without a fault. */
  async stop(): Promise<boolean> {
    return this.#end(this.#options.stopMs() + endMs, (member) => {
      if (member.isReady) member.send({ kind: "stop", handover: false });
      else member.kill();
    });
  }

  /** Ends all workers at once, with the records of their calls. */
  async abort(): Promise<boolean> {
    return this.#end(abortMs, (member) => {
      if (member.isReady) member.send({ kind: "abort" });
      else member.kill();
    });
  }

  async #end(longestMs: number, end: (member: Member) => void): Promise<boolean> {
    this.#isStopping = true;
    for (const { timer } of this.#slots) clearTimeout(timer);
    const members = [...this.#members];
    for (const member of members) end(member);
    const timer = setTimeout(() => {
      for (const member of members) member.kill();
    }, longestMs);
    const ends = await Promise.all(members.map(({ ended }) => ended));
    clearTimeout(timer);
    return ends.every(({ code }) => code === 0);
  }

  #begin(slot: Slot): Member {
    const member = this.#fork(slot);
    slot.current = member;
    return member;
  }

  #fork(slot: Slot): Member {
    const { workers, writeLog } = this.#options;
    const onReport = (sender: Member, report: Report) => this.#onReport(sender, report);
    const writeError = (sender: Member, line: string) => this.#writeError(sender, line);
    const numbers = { worker: slot.worker, workers, sinceMs: this.#sinceMs };
    const member = new Member({ numbers, onReport, writeLog, writeError });
    this.#members.add(member);
    void member.ended.then((ended) => this.#onEnd(slot, member, ended));
    return member;
  }

  #memberOf(id: number): Member | undefined {
    return [...this.#members].find((member) => member.id === id);
  }

  #writeError(sender: Member, line: string): void {
    if (this.#hasStarted) this.#options.writeError(line);
    else this.#held.set(sender, [...(this.#held.get(sender) ?? []), line]);
  }

  #onReport({ id, slot: worker, pid }: Member, report: Report): void {
    switch (report.kind) {
      case "ready":
        this.#options.log.debug({ worker, pid }, "worker is ready");
        return;
      case "limits":
        this.#limits.receive(id, report.report);
        return;
      case "measured":
        this.#metrics.receive(id, report.metrics);
        return;
      case "scrape":
        void this.#metrics.gather().then((metrics) => {
          this.#memberOf(id)?.send({ kind: "gathered", scrape: report.scrape, metrics });
        });
        return;
      default:
        report satisfies never;
    }
  }

  #onEnd(slot: Slot, member: Member, { code, signal }: Ended): void {
    this.#members.delete(member);
    this.#limits.leave(member.id);
    this.#metrics.leave(member.id);
    if (this.#isStopping || !this.#hasStarted) return;
    // What it has left is shipped at once, not when another worker looks for it.
    this.#slots
      .map(({ current }) => current)
      .find((other) => other?.isReady && other !== member)
      ?.send({ kind: "adopt" });
    if (slot.current !== member) return;
    slot.current = undefined;
    // The successor takes its place as soon as it is ready.
    if (slot.successor !== undefined) return;
    this.#startAgain(slot, member, { code, signal });
  }

  #startAgain(slot: Slot, { pid, ranMs }: Member, ended: Ended): void {
    const restartMs = slot.backoff.next(ranMs);
    this.#options.log.error(
      { worker: slot.worker, pid, ...ended, restart_ms: restartMs },
      "a worker has ended; it starts again",
    );
    slot.timer = setTimeout(() => {
      slot.timer = undefined;
      if (!this.#isStopping && slot.current === undefined) this.#begin(slot);
    }, restartMs);
  }

  async #restartAll(): Promise<void> {
    const { log, workers } = this.#options;
    log.info({ workers }, "restarting the workers one after the other");
    for (const slot of this.#slots) {
      if (this.#isStopping) return;
      const hasStarted = await this.#replace(slot);
      if (!hasStarted) {
        if (!this.#isStopping) log.error({ worker: slot.worker }, "a new worker did not start; the old ones stay");
        return;
      }
    }
    if (!this.#isStopping) log.info({ workers }, "all workers have been restarted");
  }

  /** Starts the successor of a worker, and then stops the worker. Returns whether the successor has started. */
  async #replace(slot: Slot): Promise<boolean> {
    const successor = this.#fork(slot);
    slot.successor = successor;
    const hasStarted = (await successor.ready) !== undefined;
    slot.successor = undefined;
    const old = slot.current;
    if (!hasStarted) {
      // The old worker has ended meanwhile.
      if (old === undefined && !this.#isStopping) this.#startAgain(slot, successor, { code: null, signal: null });
      return false;
    }
    clearTimeout(slot.timer);
    slot.current = successor;
    if (old === undefined || this.#isStopping) return true;
    old.send({ kind: "stop", handover: true });
    const timer = setTimeout(() => old.kill(), this.#options.stopMs() + endMs);
    await old.ended;
    clearTimeout(timer);
    return true;
  }
}

/** Resolves with the first worker that ends before it is ready, or with undefined when all are ready. */
async function firstThatFails(members: readonly Member[]): Promise<Member | undefined> {
  const failed = Promise.withResolvers<Member | undefined>();
  const starts = members.map(async (member) => {
    if ((await member.ready) === undefined) failed.resolve(member);
  });
  void Promise.all(starts).then(() => failed.resolve(undefined));
  return failed.promise;
}
