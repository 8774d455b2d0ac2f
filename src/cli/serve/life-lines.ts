import type { Config } from "../../config/config.ts";
import type { Service } from "../../server/service.ts";
import type { Log } from "../../telemetry/log.ts";
import { readVersion } from "../../version.ts";
import type { StopReason } from "../../workers/worker.ts";

/** Why the process ends. */
export type EndReason = NodeJS.Signals | StopReason | "second signal" | "uncaught error" | "shutdown failed";

/** Writes that the process accepts calls. */
export function logListening(log: Log, service: Service, { providerStatuses, workers }: Config): void {
  const { grpcAddress, httpAddress, metricsAddress } = service;
  const fields = {
    grpc_address: grpcAddress,
    http_address: httpAddress,
    metrics_address: metricsAddress,
    version: readVersion(),
    node_version: process.versions.node,
    pid: process.pid,
    workers,
    providers: providerStatuses.filter(({ on }) => on).map(({ name }) => name),
  };
  log.info(fields, "listening");
}

/** Writes that the process accepts no new calls. `callsInProgress`: undefined in the supervisor of workers. */
export function logStopping(log: Log, reason: EndReason, callsInProgress?: number): void {
  log.info({ reason, calls_in_progress: callsInProgress, pid: process.pid }, "stopping");
}

/** Writes that the process ends: its last line. `calls`: undefined in the supervisor of workers. */
export function logStopped(log: Log, reason: EndReason, calls?: number): void {
  log.info({ reason, uptime_s: Math.round(process.uptime() * 10) / 10, calls, pid: process.pid }, "stopped");
}
