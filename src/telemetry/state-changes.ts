import type { RoutingView, StateChange } from "../routing/target-view.ts";
import type { Log } from "./log.ts";
import { SampledLog } from "./sampled-log.ts";

/**
 * Logs a line for each change of a target's or a key's state: `warn` if it no longer gets calls, `info` if it does
 * again. Of a target or key that changes more than once a second, logs only the newest change, with the number of those
 * before it as `omitted`. Returns a function that logs what it still holds, and ends the log.
 */
export function logStateChanges(view: RoutingView, log: Log): () => void {
  const lines = new SampledLog(log);
  const stop = view.onChange((change) => lines.write(JSON.stringify([change.target, change.key]), lineOf(change)));
  return () => {
    stop();
    lines.flush();
  };
}

function lineOf({ target, key, from, to, reason, forMs }: StateChange) {
  const isOut = to === "open" || to === "cooling";
  const fields = {
    target,
    key,
    from,
    to,
    reason: reason || undefined,
    for_ms: forMs === undefined ? undefined : Math.round(forMs),
  };
  const message = key === undefined ? "target changed state" : "key changed state";
  return { level: isOut ? "warn" : "info", fields, message } as const;
}
