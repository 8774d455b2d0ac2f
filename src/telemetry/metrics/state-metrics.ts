import type { Rejections } from "../../load/rejections.ts";
import type { RoutingView, TargetStateName } from "../../routing/target-view.ts";
import { definitions } from "./definitions.ts";
import type { LabelNames } from "./label-names.ts";
import { type Family, type NumberSample, readWhenAsked } from "./metrics.ts";

/** What metrics read of the process. */
export interface MetricSources {
  readonly rejections: Rejections;
  /** Returns the call records that are not in the database yet. Undefined: there is no ledger. */
  readonly ledgerPending?: (() => number) | undefined;
  /** Returns the lines of the log that were dropped. Undefined: nobody counts them. */
  readonly logLinesDropped?: (() => number) | undefined;
}

/** What metrics and traces read of the running service. */
export interface ObservedService {
  readonly routing: RoutingView;
  recentLagMs(): number;
}

/** Values of `dragoman_target_state`. A target of several states, such as all others together, has the worst one. */
const stateValues = { closed: 0, half_open: 1, open: 2 } as const satisfies Record<TargetStateName, number>;

/** Creates the metrics that are read from the state of the process. */
export function createStateMetrics(
  names: LabelNames,
  { rejections, ledgerPending, logLinesDropped }: MetricSources,
  service: () => ObservedService | undefined,
): readonly Family[] {
  const targets = () => service()?.routing.targets() ?? [];
  return [
    readWhenAsked(definitions.targetState, () => {
      const states = new Map<string, number>();
      for (const { name, state } of targets()) {
        const label = names.target(name);
        states.set(label, Math.max(states.get(label) ?? 0, stateValues[state]));
      }
      return samplesOf(states);
    }),
    readWhenAsked(definitions.rejected, () => samplesOf(rejections.totals)),
    readWhenAsked(definitions.queueLength, () => {
      const lengths = new Map<string, number>();
      for (const { name, queueLength } of targets()) {
        const provider = names.provider(name.slice(0, name.indexOf("/")));
        lengths.set(provider, (lengths.get(provider) ?? 0) + queueLength);
      }
      return samplesOf(lengths);
    }),
    readWhenAsked(definitions.ledgerPending, () => ledgerPending?.()),
    readWhenAsked(definitions.logLinesDropped, () => logLinesDropped?.()),
    readWhenAsked(definitions.eventLoopLag, () => {
      const lagMs = service()?.recentLagMs();
      return lagMs === undefined ? undefined : lagMs / 1000;
    }),
  ];
}

function samplesOf(values: ReadonlyMap<string, number>): readonly NumberSample[] {
  return [...values].map(([label, value]) => ({ labels: [label], value }));
}
