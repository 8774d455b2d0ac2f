/** Where load goes to. */
export type Target =
  | { readonly protocol: "grpc"; readonly port: number }
  | { readonly protocol: "http"; readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** What to ask for. */
export interface Ask {
  /** A model of bench/upstream.ts. */
  readonly model: string;
  /** Undefined: a unary call. */
  readonly stream?: { readonly keepProviderDeltas: boolean };
}

/** Calls one target from `concurrency` workers, each with one call at a time, for a while. */
export interface LoadJob {
  readonly kind: "load";
  readonly target: Target;
  readonly concurrency: number;
  readonly durationMs: number;
  readonly ask: Ask;
}

export interface LoadResult {
  /** Calls that succeeded. */
  readonly calls: number;
  readonly failures: number;
  /** What the first failure said. */
  readonly firstFailure: string | undefined;
  /** Messages that carried a delta. */
  readonly messages: number;
  readonly seconds: number;
}

/** Calls the targets in turn, one call at a time. Unary calls are timed whole, streams up to their first delta. */
export interface LatencyJob {
  readonly kind: "latency";
  readonly targets: readonly Target[];
  /** For each target. */
  readonly samples: number;
  readonly ask: Ask;
}

/** Milliseconds, for each target in the order of the job. */
export type LatencyResult = readonly (readonly number[])[];

/** Reads many paced streams at once and checks their text word by word. */
export interface PacedJob {
  readonly kind: "paced";
  readonly target: Target;
  readonly streams: number;
  readonly deltasPerSecond: number;
  readonly deltas: number;
  /** A gap between two deltas of one stream beyond this is a stall. */
  readonly stallMs: number;
}

export interface PacedResult {
  readonly failures: number;
  readonly firstFailure: string | undefined;
  /** Provider deltas whose text did not arrive, or not in its place. */
  readonly lost: number;
  readonly messages: number;
  readonly stalls: number;
  readonly gapP99Ms: number;
  readonly gapMaxMs: number;
  readonly seconds: number;
}

/** Begins streams without end, on one connection, and never reads them. */
export interface StalledJob {
  readonly kind: "stalled";
  readonly port: number;
  readonly streams: number;
  readonly durationMs: number;
}

/** The streams that had ended by themselves before they were cancelled. */
export type StalledResult = number;

export type Job = LoadJob | LatencyJob | PacedJob | StalledJob;

interface Results {
  readonly load: LoadResult;
  readonly latency: LatencyResult;
  readonly paced: PacedResult;
  readonly stalled: StalledResult;
}

export type JobResult<J extends Job> = Results[J["kind"]];
