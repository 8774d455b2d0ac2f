import cluster from "node:cluster";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../telemetry/log.ts";
import { createProcessMetrics } from "../telemetry/metrics/process-metrics.ts";
import { takeSnapshot } from "../telemetry/metrics/snapshot.ts";
import { Backoff } from "./backoff.ts";
import { LimitPool } from "./limits/limit-pool.ts";
import { type Ended, firstThatFails, Member } from "./member.ts";
import type { ReloadReply, Report, SupervisorSettings, WorkerStart } from "./messages.ts";
import { MetricsGatherer } from "./metrics-gatherer.ts";
import { reloadMembers } from "./reload-members.ts";
import { modelsWorker } from "./worker-variable.ts";

/** Time in ms that the end of a worker takes at most, beside the time that its calls get. */
const endMs = 10_000;

/** Time in ms that workers have to write the records of calls that end at once. */
const abortMs = 2_000;

interface SupervisorOptions {
  readonly workers: number;
  /** Unix socket of the process that has the models of `local`. */
  readonly modelsPath: string;
  readonly log: Log;
  /** Follows the settings of the log, when the first worker has started, and after a reload. */
  readonly setLog: (settings: SupervisorSettings["log"]) => void;
  readonly writeLog: (lines: Buffer) => void;
  readonly writeError: (lines: string) => void;
}

/** Place of a worker: the one that runs, and the one that takes over from it. */
interface Slot {
  readonly worker: number;
  readonly backoff: Backoff;
  current: Member | undefined;
  successor: Member | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Starts the workers, and starts those again that end. Serves no calls itself, and knows of the configuration only what
 * the workers tell. If a provider has its models in memory, a further process has them for all workers.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #slots: readonly Slot[];
  #settings: SupervisorSettings | undefined;
  readonly #members = new Set<Member>();
  readonly #processMetrics = createProcessMetrics();
  readonly #limits = new LimitPool({
    send: (id, order) => this.#memberOf(id)?.send({ kind: "limits", order }),
  });
  readonly #metrics = new MetricsGatherer({
    ask: () => {
      const ready = [...this.#members].filter(({ isReady }) => isReady);
      for (const member of ready) member.send({ kind: "measure" });
      return ready.map(({ id }) => id);
    },
    own: () => takeSnapshot(this.#processMetrics),
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
    this.#slots = Array.from({ length: options.workers }, (_, index) => createSlot(index + 1));
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ silent: true });
  }

  /**
   * Starts all workers, and returns what one of them told. Undefined: a worker has not started, and all others have
   * ended, too. What keeps workers from starting is written once.
   */
  async start(): Promise<WorkerStart | undefined> {
    const members = this.#slots.map((slot) => this.#begin(slot));
    const failed = await firstThatFails(members);
    this.#hasStarted = failed === undefined;
    if (failed !== undefined && !this.#isStopping) await this.abort();
    const written = failed === undefined ? [...this.#held.values()] : [this.#held.get(failed) ?? []];
    for (const lines of written.flat()) this.#options.writeError(lines);
    this.#held.clear();
    if (failed !== undefined) return undefined;
    await this.#followModels();
    return members[0]?.ready;
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

  /** Lets all workers read their configuration again. Returns what has changed, or why nothing has. */
  async reload(): Promise<ReloadReply> {
    const reply = await reloadMembers(this.#members, this.#options.log);
    if (!("reloaded" in reply)) return reply;
    this.#settings = reply.settings;
    this.#options.setLog(reply.settings.log);
    await this.#followModels();
    return reply;
  }

  /** Stops all workers. Returns whether each has ended by itself, without a fault. */
  async stop(): Promise<boolean> {
    return this.#end(this.#longestStopMs, (member) => {
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
    const workers = [...this.#members].filter(({ slot }) => slot !== modelsWorker);
    for (const member of workers) end(member);
    const timer = setTimeout(() => {
      for (const member of workers) member.kill();
    }, longestMs);
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    clearTimeout(timer);
    // Until now, calls in progress could need its models.
    for (const member of this.#members) member.kill();
    await Promise.all([...this.#members].map(({ ended }) => ended));
    rmSync(dirname(this.#options.modelsPath), { recursive: true, force: true });
    return ends.every(({ code }) => code === 0);
  }

  get #longestStopMs(): number {
    return (this.#settings?.stopMs ?? 0) + endMs;
  }

  /**
   * Starts or stops the process that has the models of `local`, whichever the configuration needs. Resolves when it has
   * started, or could not start and will be started again.
   */
  async #followModels(): Promise<void> {
    const slot = this.#slots.find(({ worker }) => worker === modelsWorker);
    const isNeeded = this.#settings?.hasModels === true && !this.#isStopping;
    if (isNeeded === (slot !== undefined)) return;
    if (slot === undefined) {
      const added = createSlot(modelsWorker);
      this.#slots = [...this.#slots, added];
      await this.#begin(added).ready;
      return;
    }
    this.#slots = this.#slots.filter((other) => other !== slot);
    clearTimeout(slot.timer);
    const { current, successor } = slot;
    slot.current = undefined;
    successor?.kill();
    if (current !== undefined) void this.#retire(current);
  }

  /** Lets others take over from a worker. Resolves when it has ended. */
  async #retire(member: Member): Promise<void> {
    member.send({ kind: "stop", handover: true });
    const timer = setTimeout(() => member.kill(), this.#longestStopMs);
    await member.ended;
    clearTimeout(timer);
  }

  #begin(slot: Slot): Member {
    const member = this.#fork(slot);
    slot.current = member;
    return member;
  }

  #fork(slot: Slot): Member {
    const { workers, modelsPath, writeLog } = this.#options;
    const onReport = (sender: Member, report: Report) => this.#onReport(sender, report);
    const writeError = (sender: Member, lines: string) => this.#writeError(sender, lines);
    const numbers = { worker: slot.worker, workers, sinceMs: this.#sinceMs, modelsPath };
    const member = new Member({ numbers, onReport, writeLog, writeError });
    this.#members.add(member);
    void member.ended.then((ended) => this.#onEnd(slot, member, ended));
    return member;
  }

  #memberOf(id: number): Member | undefined {
    return [...this.#members].find((member) => member.id === id);
  }

  #writeError(sender: Member, lines: string): void {
    if (this.#hasStarted) this.#options.writeError(lines);
    else this.#held.set(sender, [...(this.#held.get(sender) ?? []), lines]);
  }

  #onReport({ id, slot: worker, pid }: Member, report: Report): void {
    switch (report.kind) {
      case "ready":
        if (this.#settings === undefined) {
          this.#settings = report.settings;
          this.#options.setLog(report.settings.log);
        }
        this.#options.log.debug({ worker, pid }, "worker is ready");
        return;
      case "limits":
        this.#limits.receive(id, report.report);
        return;
      case "reloaded":
        // The member returns the reply.
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
    if (!this.#slots.includes(slot)) {
      // A reload has removed the place meanwhile.
      if (hasStarted) await this.#retire(successor);
      return true;
    }
    if (!hasStarted) {
      // The old worker has ended meanwhile.
      if (old === undefined && !this.#isStopping) this.#startAgain(slot, successor, { code: null, signal: null });
      return false;
    }
    clearTimeout(slot.timer);
    slot.current = successor;
    if (old === undefined || this.#isStopping) return true;
    await this.#retire(old);
    return true;
  }
}

function createSlot(worker: number): Slot {
  return { worker, backoff: new Backoff(), current: undefined, successor: undefined, timer: undefined };
}
