import type { Router } from "../routing/router.ts";
import { targetName, targetOf } from "../routing/target.ts";
import type { RoutingView } from "../routing/target-view.ts";
import type { Snapshots } from "./snapshot.ts";

/** Shows the state of routing: the targets of the configured routes, and those that were called by their own names. */
export function createRoutingView(router: Router, snapshots: Snapshots): RoutingView {
  /** Returns the names of a route's targets, and makes the router know targets that were not asked yet. */
  function targetsOf(route: string): readonly string[] {
    const { catalog, adapters } = snapshots.current;
    const { tiers = [] } = catalog.routeOf(route) ?? {};
    return tiers
      .flatMap(({ targets }) => targets)
      .flatMap(({ model }) => {
        try {
          const target = targetOf(catalog.resolveTarget(model), adapters);
          router.stateFor(target).keysFor(target.adapter.keys);
          return [targetName(target.model)];
        } catch {
          // Without an account the model is not visible, or its provider is not configured: nothing can be shown.
          return [];
        }
      });
  }

  const routes = () => snapshots.current.routes ?? [];
  return {
    targets(route) {
      if (route !== undefined) return router.targets(new Set(targetsOf(route)));
      for (const id of routes()) targetsOf(id);
      return router.targets();
    },
    routes,
    stateOf: (target) => router.stateOf(target),
    onChange: (listener) => router.onChange(listener),
  };
}
