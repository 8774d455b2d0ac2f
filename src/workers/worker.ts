import cluster from "node:cluster";
import type { MetricSnapshot } from "../telemetry/metrics/snapshot.ts";
import type { MetricsTogether } from "../telemetry/telemetry.ts";
import type { LimitOrder, LimitReport } from "./limits/messages.ts";
import type { Order, ReloadReply, Report, WorkerStart } from "./messages.ts";
import { parseWorker, type WorkerNumbers } from "./worker-variable.ts";

/** Why a worker stops. */
export type StopReason =
  | "SIGTERM"
  | "replaced by another worker"
  | "stopped by the supervisor"
  | "the supervisor has ended";

/** What a worker does when the supervisor wants it to. */
export interface WorkerActions {
  /** @param handover whether other workers take over */
  stop(reason: StopReason, handover: boolean): void;
  abort(): void;
  reload(): Promise<ReloadReply>;
  adopt(): void;
}

/** The way to the limits that workers share. */
export interface LimitLink {
  send(report: LimitReport): void;
  /** Who follows the orders. */
  receive: (order: LimitOrder) => void;
}

/** What a worker knows of the supervisor. */
export interface WorkerLink extends WorkerNumbers {
  /** The way to the limits that workers share. */
  readonly limits: LimitLink;
  /** The metrics of all workers. */
  readonly metrics: MetricsTogether;
  /** Lets the process end when it has nothing left to do, because it could not start. */
  release(): void;
  /** Sends the last metrics to the supervisor, which keeps them, and resolves when it has them. */
  end(): Promise<void>;
  /** Follows the supervisor from now on, and tells it that this worker accepts calls. */
  ready(actions: WorkerActions, start: WorkerStart): void;
}

/** Signals that reach all processes of a terminal, or mean the supervisor, which sends an order then. */
const ignoredSignals = ["SIGINT", "SIGHUP", "SIGUSR2"] as const;

/** Returns the link to the supervisor. Undefined: no supervisor started this process, though some other program may have. */
export function linkToSupervisor(variable: string | undefined): WorkerLink | undefined {
  const { worker } = cluster;
  const numbers = parseWorker(variable);
  if (worker === undefined || numbers === undefined) return undefined;
  for (const signal of ignoredSignals) process.on(signal, () => {});
  const send = (report: Report): void => {
    if (worker.isConnected()) worker.send(report, () => {});
  };
  const limits: LimitLink = { send: (report) => send({ kind: "limits", report }), receive: () => {} };
  const scrapes = new Map<number, (metrics: readonly MetricSnapshot[]) => void>();
  let scraped = 0;
  const metrics: MetricsTogether = {
    read: () => [],
    gather() {
      // The supervisor is gone, and this worker ends soon: it tells what it has.
      if (!worker.isConnected()) return Promise.resolve(metrics.read());
      const { promise, resolve } = Promise.withResolvers<readonly MetricSnapshot[]>();
      scrapes.set(++scraped, resolve);
      send({ kind: "scrape", scrape: scraped });
      return promise;
    },
  };
  worker.on("disconnect", () => {
    for (const resolve of scrapes.values()) resolve(metrics.read());
    scrapes.clear();
  });
  process.on("message", (order: Order) => {
    if (order.kind === "limits") limits.receive(order.order);
    else if (order.kind === "measure") send({ kind: "measured", metrics: metrics.read() });
    else if (order.kind === "gathered") {
      scrapes.get(order.scrape)?.(order.metrics);
      scrapes.delete(order.scrape);
    }
  });
  return {
    ...numbers,
    limits,
    metrics,
    release: () => process.channel?.unref(),
    end: () =>
      new Promise((resolve) => {
        if (worker.isConnected()) worker.send({ kind: "measured", metrics: metrics.read() }, () => resolve());
        else resolve();
      }),
    ready(actions, start) {
      let reloading = Promise.resolve();
      process.on("message", (order: Order) => {
        if (order.kind !== "reload") {
          follow(order, actions);
          return;
        }
        reloading = reloading.then(async () => send({ kind: "reloaded", reply: await actions.reload() }));
      });
      // Service managers send SIGTERM to every process of a service.
      process.on("SIGTERM", () => actions.stop("SIGTERM", false));
      worker.on("disconnect", () => {
        // Otherwise Node.js exits at once. The supervisor is gone: calls in progress may end.
        worker.exitedAfterDisconnect = true;
        actions.stop("the supervisor has ended", true);
      });
      send({ kind: "ready", ...start });
    },
  };
}

function follow(order: Exclude<Order, { kind: "reload" }>, actions: WorkerActions): void {
  switch (order.kind) {
    case "stop":
      actions.stop(order.handover ? "replaced by another worker" : "stopped by the supervisor", order.handover);
      return;
    case "abort":
      actions.abort();
      return;
    case "limits":
    case "measure":
    case "gathered":
      return;
    case "adopt":
      actions.adopt();
      return;
    default:
      order satisfies never;
  }
}
