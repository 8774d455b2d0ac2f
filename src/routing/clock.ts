/** Source of time. Tests replace it with a virtual one. */
export interface Clock {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Calls `run` after `ms` milliseconds. Returns the function that prevents the call. */
  after(ms: number, run: () => void): () => void;
}

/** Longest time that setTimeout accepts, in ms: 24 days. It runs longer ones at once. */
const longestMs = 2 ** 31 - 1;

/** The clock of the process. Its timers do not keep the process running. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, Math.ceil(ms)), longestMs)).unref();
    return () => clearTimeout(timer);
  },
};
