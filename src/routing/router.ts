import { type BreakerSettings, defaultBreaker } from "../config/route.ts";
import type { ProviderKey } from "../providers/adapter.ts";
import { Affinity } from "./affinity.ts";
import { HedgeBudget } from "./budgets.ts";
import type { Candidate, CandidateRoute } from "./candidate.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Draws } from "./draws.ts";
import { KeyUse, unusedUntil } from "./keys.ts";
import type { LearnedFields } from "./learned-fields.ts";
import type { SearchedCall } from "./next-attempt.ts";
import { type RoutedCall, RouteRun, type SharedRouting } from "./route-run.ts";
import { Search } from "./search.ts";
import { type NamedTarget, namedTarget, type Target, targetName } from "./target.ts";
import { TargetState } from "./target-state.ts";
import type { StateChange, TargetStateName, TargetView } from "./target-view.ts";
import { explainUnused, obstacleOf } from "./why-unused.ts";

/** Targets whose health is remembered. Callers can name any model of a provider. */
const mostTargets = 4_096;

/** A target that a call would use, or why not. */
export interface Considered<Member> {
  readonly candidate: Member;
  /** Empty: the call can use the target. */
  readonly rejection: string;
}

interface RouterOptions {
  readonly breaker?: BreakerSettings;
  readonly clock?: Clock;
  /** Seed of the random choices. Default: a random one. */
  readonly seed?: number;
  /** Fields that targets rejected, for `targets`. Default: none. */
  readonly learned?: LearnedFields;
}

/**
 * Health of all targets, and the attempts of calls. The process has one instance, which outlives snapshots of the
 * configuration.
 */
export class Router implements SharedRouting {
  readonly clock: Clock;
  readonly draws: Draws;
  readonly affinity: Affinity;
  #breaker: BreakerSettings;
  readonly #learned: LearnedFields | undefined;
  /** Random numbers that calls do not see, so that PlanChat need not know them. */
  readonly #random: Draws;
  /** By the base URL and name of the target, the oldest first. */
  readonly #states = new Map<string, { readonly target: NamedTarget; readonly state: TargetState }>();
  readonly #uses = new WeakMap<ProviderKey, KeyUse>();
  readonly #hedges = new Map<string, HedgeBudget>();
  readonly #listeners = new Set<(change: StateChange) => void>();

  constructor({ breaker = defaultBreaker, clock = systemClock, seed, learned }: RouterOptions = {}) {
    this.clock = clock;
    this.draws = new Draws(seed);
    this.affinity = new Affinity(clock);
    this.#breaker = breaker;
    this.#learned = learned;
    this.#random = new Draws(seed);
  }

  get maxOpenShare(): number {
    return this.#breaker.maxOpenShare;
  }

  /** Changes the settings of all breakers. */
  setBreaker(breaker: BreakerSettings): void {
    this.#breaker = breaker;
    for (const { state } of this.#states.values()) state.breaker.setSettings(breaker);
  }

  /**
   * Forgets targets and routes that no longer exist. Calls in progress keep the state that they have.
   *
   * @param hasTarget whether a provider with this name has this base URL
   */
  forgetAll(hasTarget: (provider: string, baseUrl: string | undefined) => boolean, routes: readonly string[]): void {
    for (const [key, { target }] of this.#states) {
      if (!hasTarget(target.model.provider, target.adapter.baseUrl)) this.#states.delete(key);
    }
    for (const route of this.#hedges.keys()) if (route !== "" && !routes.includes(route)) this.#hedges.delete(route);
  }

  /** Starts the attempts of a call. */
  run<Member extends Candidate, Plan, Event>(
    call: RoutedCall<Member, Plan, Event>,
    route: CandidateRoute<Member>,
  ): RouteRun<Member, Plan, Event> {
    return new RouteRun(call, route, this);
  }

  /**
   * Returns the targets of a call in the order in which it would use them now, then the one for which it would wait,
   * then those that it cannot use, and the plan for the first one. In the same state, the first one is the target of
   * the next call. Throws the reason if no target can serve the request.
   */
  async consider<Member extends Candidate, Plan>(
    call: SearchedCall<Member, Plan>,
    route: CandidateRoute<Member>,
  ): Promise<{ readonly plan: Plan; readonly considered: readonly Considered<Member>[] }> {
    const { clock, affinity, maxOpenShare } = this;
    const search = new Search(call, route, { clock, affinity, maxOpenShare, draws: this.draws.copy() });
    const considered: Considered<Member>[] = [];
    let plan: Plan | undefined;
    for (let next = await search.peek(); next !== undefined; next = await search.peek()) {
      plan ??= next.plan;
      considered.push({ candidate: next.candidate, rejection: "" });
    }
    const rest = route.tiers.flatMap(({ members }) => members);
    // If all targets are limited, a call waits for one of them, which need not be the first of the route.
    if (considered.length === 0 && search.awaited !== undefined) rest.unshift(search.awaited);
    for (const candidate of rest) {
      if (considered.some((known) => known.candidate === candidate)) continue;
      considered.push({ candidate, rejection: await explainUnused(candidate, search.history, clock.now()) });
      plan ??= search.history.plans.get(candidate);
    }
    if (plan === undefined) throw obstacleOf(route, search.history, clock.now());
    return { plan, considered };
  }

  /** Returns the health of a target. */
  stateFor(target: Target): TargetState {
    const key = `${target.adapter.baseUrl ?? ""} ${targetName(target.model)}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known.state;
    const state = this.stateOfNobody(targetName(target.model));
    this.#states.set(key, { target: namedTarget(target), state });
    if (this.#states.size > mostTargets) this.#forget();
    return state;
  }

  /** Returns a state that no other call sees, for a name without a target. */
  stateOfNobody(name: string): TargetState {
    return new TargetState(name, {
      clock: this.clock,
      breaker: this.#breaker,
      random: () => this.#random.next(),
      onChange: (change) => {
        for (const listener of this.#listeners) listener(change);
      },
      useOf: (pool) => this.#useOf(pool),
    });
  }

  hedgesOf(route: string): HedgeBudget {
    let budget = this.#hedges.get(route);
    if (budget === undefined) {
      budget = new HedgeBudget();
      this.#hedges.set(route, budget);
    }
    return budget;
  }

  /**
   * Returns the targets that were asked for, ordered by name.
   *
   * @param names only these targets. Default: all.
   */
  targets(names?: ReadonlySet<string>): readonly TargetView[] {
    const views = [...this.#states.values()].flatMap(({ target, state }) =>
      names === undefined || names.has(state.name) ? this.#viewOf(target, state) : [],
    );
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stateOf(name: string): TargetStateName {
    for (const { state } of this.#states.values()) if (state.name === name) return state.breaker.state;
    return "closed";
  }

  onChange(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #useOf(key: ProviderKey): KeyUse {
    let use = this.#uses.get(key);
    if (use === undefined) {
      use = new KeyUse(this.clock);
      this.#uses.set(key, use);
    }
    return use;
  }

  /** Forgets the oldest targets that nobody uses. */
  #forget(): void {
    for (const [key, { state }] of this.#states) {
      if (this.#states.size <= mostTargets) return;
      if (state.inFlight === 0) this.#states.delete(key);
    }
  }

  #viewOf(target: NamedTarget, state: TargetState): TargetView {
    const { breaker } = state;
    const date = (ms: number | undefined) => (ms === undefined ? undefined : Date.now() + ms - this.clock.now());
    return {
      name: state.name,
      state: breaker.state,
      failureRatio: breaker.failureRatio,
      firstOutputMs: state.streamed.average ?? state.whole.average,
      openUntilMs: date(breaker.openUntilMs),
      inFlight: state.inFlight,
      queueLength: state.queueLength,
      keys: state.keys
        .filter(({ key }) => key !== undefined)
        .map((key) => ({
          name: key.name,
          coolUntilMs: date(unusedUntil(key)),
          reason: key.here.reason ?? key.everywhere.reason ?? "",
        })),
      learned: this.#learned?.of(target) ?? [],
    };
  }
}
