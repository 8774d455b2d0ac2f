/** A metric: its name in Prometheus' form, and what it means. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of the buckets of a histogram, without infinity. */
  readonly buckets?: readonly number[];
  /** How the values of several processes become one. Default: their sum. */
  readonly overProcesses?: "max" | "min";
  /** Unit in OTLP. Default: what the end of the name says. */
  readonly unit?: string;
}

/** Times of calls of language models in seconds: from a rejection to a long response. */
const callSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];

/** Times of Dragoman's own work in seconds. */
const overheadSeconds = [
  ...[0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005],
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
];

/** Metrics of Dragoman. docs/telemetry.md lists them. */
export const definitions = {
  calls: {
    name: "dragoman_calls_total",
    type: "counter",
    labels: ["method", "provider", "model", "outcome", "reason"],
    help: "Calls that have ended.",
  },
  callDuration: {
    name: "dragoman_call_duration_seconds",
    type: "histogram",
    labels: ["method", "provider", "model", "outcome"],
    help: "Time from the request headers of a call to its end.",
    buckets: callSeconds,
  },
  firstOutput: {
    name: "dragoman_first_output_seconds",
    type: "histogram",
    labels: ["method", "provider", "model"],
    help: "Time from the request headers of a call to the first output of its provider.",
    buckets: callSeconds,
  },
  overhead: {
    name: "dragoman_overhead_seconds",
    type: "histogram",
    labels: ["method"],
    help: "Time of a call in which none of its upstream requests was in progress. Calls without one do not count.",
    buckets: overheadSeconds,
  },
  callsInFlight: {
    name: "dragoman_calls_in_flight",
    type: "gauge",
    labels: [],
    help: "Calls in progress.",
  },
  attempts: {
    name: "dragoman_attempts_total",
    type: "counter",
    labels: ["target", "outcome", "reason"],
    help: "Upstream requests that have ended.",
  },
  targetState: {
    name: "dragoman_target_state",
    type: "gauge",
    labels: ["target"],
    overProcesses: "max",
    help: "State of a target's breaker: 0 closed, 1 half open, 2 open.",
  },
  tokens: {
    name: "dragoman_tokens_total",
    type: "counter",
    labels: ["provider", "model", "kind"],
    help: "Tokens of calls. Input has cached_input and cache_write_input; output has reasoning.",
  },
  cost: {
    name: "dragoman_cost_usd_total",
    type: "counter",
    labels: ["provider", "model"],
    help: "Known cost of calls in US dollars, with all their attempts.",
  },
  rejected: {
    name: "dragoman_rejected_total",
    type: "counter",
    labels: ["reason"],
    help: "Requests that were rejected because of overload or a full queue, also before they became calls.",
  },
  queueLength: {
    name: "dragoman_queue_length",
    type: "gauge",
    labels: ["provider"],
    help: "Upstream requests that wait for a connection to their provider.",
  },
  ledgerPending: {
    name: "dragoman_ledger_pending_records",
    type: "gauge",
    labels: [],
    help: "Call records that are not in the database yet: those that wait for the outbox, and those in it.",
  },
  logLinesDropped: {
    name: "dragoman_log_lines_dropped_total",
    type: "counter",
    labels: [],
    help: "Lines of the log that were dropped because its reader did not keep up.",
  },
  eventLoopLag: {
    name: "dragoman_event_loop_lag_seconds",
    type: "gauge",
    labels: [],
    overProcesses: "max",
    help: "Longest delay of a timer in the last 15 seconds.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** Metrics of accounts, which exist only with `telemetry.max_account_labels`. */
export const accountDefinitions = {
  calls: {
    name: "dragoman_account_calls_total",
    type: "counter",
    labels: ["account", "outcome"],
    help: "Calls of an account that have ended.",
  },
  tokens: {
    name: "dragoman_account_tokens_total",
    type: "counter",
    labels: ["account", "kind"],
    help: "Tokens of the calls of an account: input and output.",
  },
  cost: {
    name: "dragoman_account_cost_usd_total",
    type: "counter",
    labels: ["account"],
    help: "Known cost of the calls of an account in US dollars.",
  },
} as const satisfies Record<string, MetricDefinition>;
