import type { Snapshots } from "../calls/snapshot.ts";
import { targetName } from "../routing/target.ts";
import type { RoutingView } from "../routing/target-view.ts";

/** Start of the names under which health checks know targets and routes. */
export const targetPrefix = "dragoman.target/";

/** Health of targets and routes, by the names that callers use. It keeps nothing of the names. */
export interface TargetHealth {
  /** Ids of the configured routes. */
  routes(): readonly string[];
  /**
   * Whether a target gets calls; of a route, whether one of its targets does. `name`: a route's id, or any name that the
   * model catalog resolves without an account, such as `provider/model`. Undefined: there is neither.
   */
  isServing(name: string): boolean | undefined;
  /** Calls the listener, at most once in a turn of the event loop, if results may have changed. Returns its end. */
  onChange(listener: () => void): () => void;
}

/** Creates the health of targets. Names are resolved with the current catalog. */
export function createTargetHealth(routing: RoutingView, snapshots: Snapshots): TargetHealth {
  return {
    routes: () => routing.routes(),
    isServing(name) {
      // A route's id takes precedence over a model's name, as in calls.
      if (routing.routes().includes(name)) return routing.targets(name).some(({ state }) => state !== "open");
      const { catalog, adapters } = snapshots.current;
      // `resolve` would create an error for an unknown name, which takes long, and health checks need no API key.
      const provider = catalog.providerOf(name);
      if (provider === undefined || !adapters.has(provider)) return undefined;
      return routing.stateOf(targetName(catalog.resolve(name))) !== "open";
    },
    onChange(listener) {
      let pending: NodeJS.Immediate | undefined;
      const notify = (): void => {
        pending ??= setImmediate(() => {
          pending = undefined;
          listener();
        });
      };
      const stopRouting = routing.onChange(({ key, from, to }) => {
        if (key === undefined && (from === "open" || to === "open")) notify();
      });
      const stopSnapshots = snapshots.onChange(notify);
      return () => {
        clearImmediate(pending);
        stopRouting();
        stopSnapshots();
      };
    },
  };
}
