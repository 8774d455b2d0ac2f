import { garbageCollector } from "../load/garbage-collector.ts";

/** Activity of the service. */
export interface Activity {
  /** Number of calls in progress. */
  readonly running: number;
  /** Number of calls since the process started. */
  readonly begun: number;
}

/** Seconds without calls before the service returns memory to the operating system. */
const idleSeconds = 5;

/** Memory use (resident set size) in bytes above which garbage is collected. A new service uses about 190 MiB. */
const enoughBytes = 256 * 2 ** 20;

/**
 * Returns memory to the operating system after a load peak. V8 alone would keep about 180 MiB more while the service is
 * idle. The collection blocks the process for about 100 ms, so it runs only without calls.
 */
export function returnMemoryWhenIdle(activity: () => Activity): void {
  const collect = garbageCollector("last-resort");
  let begunBefore = 0;
  let idle = 0;
  setInterval(() => {
    const { running, begun } = activity();
    idle = running === 0 && begun === begunBefore ? idle + 1 : 0;
    begunBefore = begun;
    if (idle === idleSeconds && process.memoryUsage.rss() > enoughBytes) collect();
  }, 1000).unref();
}
