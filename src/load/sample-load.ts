import { EventLoopLag } from "./event-loop-lag.ts";
import { HeapUse } from "./heap-use.ts";
import type { LoadBound } from "./load-guard.ts";

/** Interval between two samples, in milliseconds. */
const intervalMs = 100;

interface LoadLimits {
  /** Maximum lag of the event loop in ms. 0: no bound. */
  readonly maxEventLoopLagMs: number;
  /** Maximum share of the heap limit. 0: no bound. */
  readonly heapShare: number;
}

interface SampledLoad {
  readonly bounds: readonly LoadBound[];
  stop(): void;
}

/** Samples the event loop and the heap until `stop`. Does not keep the process running. */
export function sampleLoad({ maxEventLoopLagMs, heapShare }: LoadLimits): SampledLoad {
  const lag = maxEventLoopLagMs > 0 ? new EventLoopLag(maxEventLoopLagMs) : undefined;
  const heap = heapShare > 0 ? new HeapUse(heapShare) : undefined;
  let last = performance.now();
  heap?.sample(last);
  const timer = setInterval(() => {
    const now = performance.now();
    lag?.sample(now - last - intervalMs);
    last = now;
    heap?.sample(now);
  }, intervalMs).unref();
  return { bounds: [lag, heap].filter((bound) => bound !== undefined), stop: () => clearInterval(timer) };
}
