import type { RoutingView, StateChange } from "../routing/target-view.ts";
import type { Log } from "./log.ts";

/** Interval in ms between two lines about the same target or key. */
const intervalMs = 1000;

/** Changes of one target or key since its last line. */
interface Held {
  /** The newest change without a line. Undefined: there is none. */
  latest: StateChange | undefined;
  /** Number of changes without a line, with `latest`. */
  count: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Logs a line for each change of a target's or a key's state: `warn` if it no longer gets calls, `info` if it does
 * again. Of a target or key that changes more than once a second, logs only the newest change, with the number of those
 * before it as `suppressed`. Returns a function that logs what it still holds, and ends the log.
 */
export function logStateChanges(view: RoutingView, log: Log): () => void {
  // An entry lives for an interval after its last line, so that names of targets, which callers choose, do not pile up.
  const held = new Map<string, Held>();

  function write(name: string, entry: Held): void {
    const { latest, count } = entry;
    entry.latest = undefined;
    entry.count = 0;
    clearTimeout(entry.timer);
    if (latest === undefined) {
      held.delete(name);
      return;
    }
    entry.timer = setTimeout(() => write(name, entry), intervalMs).unref();
    writeLine(log, latest, count - 1);
  }

  const stop = view.onChange((change) => {
    const name = JSON.stringify([change.target, change.key]);
    const known = held.get(name);
    const entry = known ?? { latest: undefined, count: 0, timer: undefined };
    entry.latest = change;
    entry.count++;
    if (known !== undefined) return;
    held.set(name, entry);
    write(name, entry);
  });
  return () => {
    stop();
    for (const [name, entry] of held) {
      write(name, entry);
      clearTimeout(entry.timer);
    }
    held.clear();
  };
}

function writeLine(log: Log, { target, key, from, to, reason, forMs }: StateChange, suppressed: number): void {
  const fields = {
    target,
    key,
    from,
    to,
    reason: reason || undefined,
    for_ms: forMs === undefined ? undefined : Math.round(forMs),
    suppressed: suppressed || undefined,
  };
  const message = key === undefined ? "target changed state" : "key changed state";
  if (to === "open" || to === "cooling") log.warn(fields, message);
  else log.info(fields, message);
}
