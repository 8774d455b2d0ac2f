import type { MetricSnapshot } from "../telemetry/metrics/snapshot.ts";
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

/** What a worker sends to the supervisor. */
export type Report =
  | {
      readonly kind: "ready";
      /** Lines for people, which the program prints when all workers are ready. */
      readonly lines: readonly string[];
    }
  | { readonly kind: "limits"; readonly report: LimitReport }
  | { readonly kind: "measured"; readonly metrics: readonly MetricSnapshot[] }
  /** Gather the metrics of all workers. */
  | { readonly kind: "scrape"; readonly scrape: number };
