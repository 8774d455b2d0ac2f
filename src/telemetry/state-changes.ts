import type { RoutingView, StateChange } from "../routing/target-view.ts";
import { Sampled } from "../sampled.ts";
import type { Log } from "./log.ts";

/** Interval in ms between two lines about the same target or key. */
const intervalMs = 1000;

/**
 * Logs a line for each change of a target's or a key's state: `warn` if it no longer gets calls, `info` if it does
 * again. Of a target or key that changes more than once a second, logs only the newest change, with the number of those
 * before it as `omitted`. Returns a function that logs what it still holds, and ends the log.
 */
export function logStateChanges(view: RoutingView, log: Log): () => void {
  const lines = new Sampled<StateChange>({ intervalMs, pass: (change, omitted) => writeLine(log, change, omitted) });
  const stop = view.onChange((change) => lines.add(JSON.stringify([change.target, change.key]), change));
  return () => {
    stop();
    lines.flush();
  };
}

function writeLine(log: Log, { target, key, from, to, reason, forMs }: StateChange, omitted: number): void {
  const fields = {
    target,
    key,
    from,
    to,
    reason: reason || undefined,
    for_ms: forMs === undefined ? undefined : Math.round(forMs),
    omitted: omitted || undefined,
  };
  const message = key === undefined ? "target changed state" : "key changed state";
  if (to === "open" || to === "cooling") log.warn(fields, message);
  else log.info(fields, message);
}
