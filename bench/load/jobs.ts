/** The server that receives the load. */
export type Target =
  | { readonly protocol: "grpc"; readonly port: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly protocol: "http"; readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** A request to a target. */
export interface Ask {
  /** A model of bench/upstream.ts. */
  readonly model: string;
  /** Unset: a unary call. */
  readonly stream?: { readonly keepProviderDeltas: boolean };
}

/** Calls one target from `concurrency` workers for `durationMs`. Each worker makes one call at a time. */
export interface LoadJob {
  readonly kind: "load";
  readonly target: Target;
  readonly concurrency: number;
  readonly durationMs: number;
  readonly ask: Ask;
}

export interface LoadResult {
  /** Number of successful calls. */
  readonly calls: number;
  readonly failures: number;
  /** Error text of the first failed call. */
  readonly firstFailure: string | undefined;
  /** Number of messages that contain a delta. */
  readonly messages: number;
  readonly seconds: number;
}

/** Calls the targets in turn, one call at a time. Measures unary calls to their end, streams to their first delta. */
export interface LatencyJob {
  readonly kind: "latency";
  readonly targets: readonly Target[];
  /** Per target. */
  readonly samples: number;
  readonly ask: Ask;
}

/** Durations in ms: one list per target, in the order of the job's targets. */
export type LatencyResult = readonly (readonly number[])[];

/** Reads many paced streams at once and checks their text word by word. */
export interface PacedJob {
  readonly kind: "paced";
  readonly target: Target;
  readonly streams: number;
  readonly deltasPerSecond: number;
  readonly deltas: number;
  /** Minimum gap in ms between two deltas of one stream that counts as a stall. */
  readonly stallMs: number;
}

export interface PacedResult {
  readonly failures: number;
  readonly firstFailure: string | undefined;
  /** Number of upstream deltas whose text is missing or out of order. */
  readonly lost: number;
  readonly messages: number;
  readonly stalls: number;
  readonly gapP99Ms: number;
  readonly gapMaxMs: number;
  readonly seconds: number;
}

/** Starts endless streams on one connection and never reads them. Cancels them after `durationMs`. */
export interface StalledJob {
  readonly kind: "stalled";
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly streams: number;
  readonly durationMs: number;
}

/** Number of streams that ended before they were cancelled. */
export type StalledResult = number;

/** Opens streams that send one delta and stay open. They stay open until a job with `release`. */
export interface OpenJob {
  readonly kind: "open";
  readonly target: Target;
  readonly streams: number;
}

export interface OpenResult {
  /** Number of streams that have sent their first delta. */
  readonly opened: number;
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

/** Cancels the open streams of a target. */
export interface ReleaseJob {
  readonly kind: "release";
  readonly target: Target;
}

export type Job = LoadJob | LatencyJob | PacedJob | StalledJob | OpenJob | ReleaseJob;

interface Results {
  readonly load: LoadResult;
  readonly latency: LatencyResult;
  readonly paced: PacedResult;
  readonly stalled: StalledResult;
  readonly open: OpenResult;
  readonly release: undefined;
}

export type JobResult<J extends Job> = Results[J["kind"]];
