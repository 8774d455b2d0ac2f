import type { ActiveCalls } from "../calls/active-calls.ts";
import type { ComponentStates } from "../component-states.ts";
import type { Config } from "../config/config.ts";
import type { Rejections } from "../load/rejections.ts";
import type { MountedService } from "./services/mounted-service.ts";
import type { TargetHealth } from "./target-health.ts";

/** Page with the metrics of the process. */
export interface MetricsPage {
  /** Returns the metrics as text, in the form that `accept` prefers. */
  render(accept: string): RenderedMetrics | Promise<RenderedMetrics>;
}

export interface RenderedMetrics {
  readonly contentType: string;
  readonly text: string;
}

/** The services that every listener serves. */
export interface Services {
  readonly calls: ActiveCalls;
  /** Number of the configuration: 1, and one more with each reload that changes it. Default: 1. */
  readonly generation?: () => number;
  /** Services with a proto, which every listener serves in its protocols. */
  readonly mounted: readonly MountedService[];
  /** Health of targets and routes. Undefined: health checks know only services. */
  readonly targetHealth?: TargetHealth;
  readonly rejections: Rejections;
  /** Page `/metrics` of the HTTP listener. Undefined: it has none. */
  readonly metricsPage?: MetricsPage;
  /** What `/readyz` tells about. Undefined: nothing. */
  readonly components?: ComponentStates | undefined;
}

/** Milliseconds to send the last responses after every call has ended. */
export const closingMs = 500;

/** Time in ms in which clients change to the process that takes over. */
export const handoverMs = 1_000;

/** Open listener. Shutdown calls `stopReady`, or `handOver` if another process takes over, and then the last two methods. */
export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Prepares a reloaded configuration, whose address has no effect. Returns the function that applies it to later calls
   * and connections, which never throws.
   */
  prepare(config: Config): () => void;
  /** Reports in health checks that the service is stopping. Still accepts calls. */
  stopReady(): void;
  /**
   * Leaves new connections to the process that takes over, and asks clients to connect to it. Still accepts calls that
   * come on the connections that there are.
   */
  handOver(): void;
  /** Rejects new calls. Calls in progress continue. */
  rejectNew(): void;
  /** Closes the remaining connections. */
  close(): Promise<void>;
}
