/** Source of time. Tests replace it with a virtual one. */
export interface Clock {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Calls `run` after `ms` milliseconds. Returns the function that prevents the call. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the process. Its timers do not keep the process running. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.max(0, Math.ceil(ms))).unref();
    return () => clearTimeout(timer);
  },
};
