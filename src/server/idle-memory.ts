import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a service does. */
export interface Activity {
  /** Calls under way. */
  readonly running: number;
  /** Calls since the start. */
  readonly begun: number;
}

/** How long nothing must have happened, in seconds. */
const idleSeconds = 5;

/** Below this there is little to give back: the service takes about 190 MiB before its first call. */
const enoughBytes = 256 * 2 ** 20;

/**
 * Gives memory back to the system when a load is over: V8 by itself keeps what it once had, some 180 MiB more, for as
 * long as nothing asks for memory. It takes about a tenth of a second, so it waits until nobody calls.
 */
export function returnMemoryWhenIdle(activity: () => Activity): void {
  const collect = garbageCollector();
  let begunBefore = 0;
  let idle = 0;
  setInterval(() => {
    const { running, begun } = activity();
    idle = running === 0 && begun === begunBefore ? idle + 1 : 0;
    begunBefore = begun;
    if (idle === idleSeconds && process.memoryUsage.rss() > enoughBytes) collect();
  }, 1000).unref();
}

/** V8's collector. Its ordinary run keeps the pages; the last-resort one, meant for a full heap, returns them. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: (options: object) => void = runInNewContext("gc");
  return () => gc({ type: "major", execution: "sync", flavor: "last-resort" });
}
