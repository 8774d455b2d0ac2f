import type { Config } from "../config/config.ts";
import type { ConfigProblem } from "../config/config-error.ts";
import type { FileState } from "../reload/read-state.ts";
import type { Reloaded } from "../reload/reloader.ts";
import type { MetricSnapshot } from "../telemetry/metrics/snapshot.ts";
import type { SentError } from "../thread/messages.ts";
import type { LimitOrder, LimitReport } from "./limits/messages.ts";

/** What the supervisor sends to a worker. */
export type Order =
  | {
      readonly kind: "stop";
      /** Whether other workers take over: the worker ends without failing a call, and nobody needs to know. */
      readonly handover: boolean;
    }
  /** Ends every call in progress at once, and exits. */
  | { readonly kind: "abort" }
  /** Read the configuration again. */
  | { readonly kind: "reload" }
  /** Ship what workers left that have ended. */
  | { readonly kind: "adopt" }
  | { readonly kind: "limits"; readonly order: LimitOrder }
  /** Report the metrics of the worker. */
  | { readonly kind: "measure" }
  /** The metrics of all workers, for the scrape with this number. */
  | { readonly kind: "gathered"; readonly scrape: number; readonly metrics: readonly MetricSnapshot[] };

/** What the supervisor follows of the configuration, which only the workers load. */
export interface SupervisorSettings {
  readonly log: Config["log"];
  /** Longest time in ms that a worker that stops waits for load balancers and for its calls. */
  readonly stopMs: number;
  /** Whether a provider has its models in memory, so that workers need a process that has them. */
  readonly hasModels: boolean;
}

/** Files that a worker read its configuration from. */
export type SentFiles = readonly (readonly [path: string, state: FileState])[];

/** A worker has applied a configuration. */
export interface AppliedReply {
  readonly files: SentFiles;
  readonly reloaded: Omit<Reloaded, "generation">;
  readonly settings: SupervisorSettings;
}

/** How a worker has reloaded its configuration: what it applied, the mistakes that it found, or what failed. */
export type ReloadReply =
  | AppliedReply
  | { readonly files: SentFiles; readonly problems: readonly ConfigProblem[] }
  | { readonly files: SentFiles; readonly error: SentError };

/** What a worker that has started tells. */
export interface WorkerStart {
  /** Lines for people, which the program prints when all workers are ready. */
  readonly lines: readonly string[];
  readonly settings: SupervisorSettings;
  readonly files: SentFiles;
}

/** What a worker sends to the supervisor. */
export type Report =
  | ({ readonly kind: "ready" } & WorkerStart)
  /** The worker has followed an order to reload. */
  | { readonly kind: "reloaded"; readonly reply: ReloadReply }
  | { readonly kind: "limits"; readonly report: LimitReport }
  | { readonly kind: "measured"; readonly metrics: readonly MetricSnapshot[] }
  /** Gather the metrics of all workers. */
  | { readonly kind: "scrape"; readonly scrape: number };
