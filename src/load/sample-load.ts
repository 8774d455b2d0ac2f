import { EventLoopLag } from "./event-loop-lag.ts";
import { HeapUse } from "./heap-use.ts";
import type { LoadBound } from "./load-guard.ts";
import { RecentMaximum } from "./recent-maximum.ts";

/** Interval between two samples, in milliseconds. */
const intervalMs = 100;

/** Time in milliseconds that `recentLagMs` covers: the usual interval between two scrapes of metrics. */
const recentMs = 15_000;

interface LoadLimits {
  /** Maximum lag of the event loop in ms. 0: no bound. */
  readonly maxEventLoopLagMs: number;
  /** Maximum share of the heap limit. 0: no bound. */
  readonly heapShare: number;
}

interface SampledLoad {
  readonly bounds: readonly LoadBound[];
  /** Changes the limits of both bounds. */
  setLimits(limits: LoadLimits): void;
  /** Returns the maximum lag of the event loop in the last 15 seconds, in milliseconds. */
  recentLagMs(): number;
  stop(): void;
}

/** Samples the event loop and the heap until `stop`. Does not keep the process running. */
export function sampleLoad({ maxEventLoopLagMs, heapShare }: LoadLimits): SampledLoad {
  const lag = new EventLoopLag(maxEventLoopLagMs);
  const heap = new HeapUse(heapShare);
  const recent = new RecentMaximum(recentMs / intervalMs);
  let last = performance.now();
  heap.sample(last);
  const timer = setInterval(() => {
    const now = performance.now();
    const lagMs = Math.max(0, now - last - intervalMs);
    lag.sample(lagMs);
    recent.add(lagMs);
    last = now;
    heap.sample(now);
  }, intervalMs).unref();
  return {
    bounds: [lag, heap],
    setLimits(limits) {
      lag.maxMs = limits.maxEventLoopLagMs;
      heap.maxShare = limits.heapShare;
    },
    recentLagMs: () => recent.value,
    stop: () => clearInterval(timer),
  };
}
