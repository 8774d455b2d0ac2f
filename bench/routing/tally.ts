import { quantile } from "../statistics.ts";
import type { Attempt } from "./attempts.ts";
import type { CallerResult } from "./callers.ts";
import { type Judgment, judge, type Verdict } from "./judge.ts";
import { type Mode, textOf } from "./texts.ts";

/** A call and how it ended. */
export interface Outcome extends CallerResult, Judgment {
  readonly call: number;
  /** When the caller had the end of the call, in ms since 1970. */
  readonly endedAt: number;
}

export function outcomeOf(result: CallerResult, call: number, deltas: number, endedAt: number): Outcome {
  return { ...result, ...judge(result.seen, textOf(call, deltas)), call, endedAt };
}

/** In ms. NaN if there is no value. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Calls whose first attempt met the same fault. */
export interface FaultRow {
  readonly calls: number;
  readonly complete: number;
  readonly looksWhole: number;
  readonly errors: number;
  readonly left: number;
  /** Median time of the complete calls in ms. NaN: none. */
  readonly totalMs: number;
}

/** What one system did in one cell. */
export interface Row {
  readonly scenario: string;
  readonly mode: Mode;
  readonly system: string;
  readonly calls: number;
  /** Calls with the whole and exact response. */
  readonly complete: number;
  /** Calls without an error and without the response. */
  readonly looksWhole: number;
  readonly errors: number;
  /** Calls that the caller ended: at its deadline, or because the scenario says so. */
  readonly left: number;
  /** Number of calls for each kind of error, and for each kind of wrong response. */
  readonly errorKinds: Readonly<Record<string, number>>;
  readonly wrongKinds: Readonly<Record<string, number>>;
  /** How the calls ended whose first attempt met a fault, by that fault. */
  readonly byFault: Readonly<Record<string, FaultRow>>;
  /** Time to the first text, and to the end, of complete calls. */
  readonly firstMs: Percentiles;
  readonly totalMs: Percentiles;
  /** Share of the attempts at each target (and key, if there are several), for each quarter of the calls. */
  readonly shares: Readonly<Record<string, readonly number[]>>;
  readonly attempts: number;
  /** Attempts beyond the first one of a call. */
  readonly extraAttempts: number;
  /** Complete calls with more than one attempt. */
  readonly saved: number;
  /** Extra attempts that started after the call had ended for its caller. */
  readonly uselessAttempts: number;
  /** Attempts with a limited key that started before the time that its 429 named. */
  readonly earlyAttempts: number;
  /** Tokens that upstreams wrote, and those of them that are not in a complete response. */
  readonly tokens: number;
  readonly wastedTokens: number;
  /** Of attempts that were open when the caller left: time until the system ended them, in ms. */
  readonly abortedAfterMs: { readonly p50: number; readonly max: number };
  /** Of those attempts: number that the system never ended (it read the response to its end, or still waits). */
  readonly neverAborted: number;
}

/** Attempts of each call, in the order of their start. */
type AttemptsOfCalls = ReadonlyMap<number, readonly Attempt[]>;

/** An attempt that starts up to this long after the caller left was on its way already. In ms. */
const onItsWayMs = 20;

function percentiles(values: readonly number[]): Percentiles {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99) };
}

function countOf(outcomes: readonly Outcome[], verdict: Verdict): number {
  return outcomes.filter((outcome) => outcome.verdict === verdict).length;
}

/** Counts the calls with a verdict by their detail. */
function countDetails(outcomes: readonly Outcome[], verdict: Verdict): Record<string, number> {
  const byDetail = Map.groupBy(
    outcomes.filter((outcome) => outcome.verdict === verdict),
    ({ detail }) => detail,
  );
  return Object.fromEntries([...byDetail].map(([detail, { length }]) => [detail, length]));
}

function rowOfFault(outcomes: readonly Outcome[]): FaultRow {
  const complete = outcomes.filter(({ verdict }) => verdict === "complete");
  return {
    calls: outcomes.length,
    complete: complete.length,
    looksWhole: countOf(outcomes, "looks_whole"),
    errors: countOf(outcomes, "error"),
    left: countOf(outcomes, "left"),
    totalMs: quantile(
      complete.map(({ totalMs }) => totalMs),
      0.5,
    ),
  };
}

function byFault(outcomes: readonly Outcome[], attempts: AttemptsOfCalls): Record<string, FaultRow> {
  const groups = Map.groupBy(outcomes, ({ call }) => attempts.get(call)?.[0]?.fault ?? "");
  groups.delete("");
  return Object.fromEntries([...groups].map(([fault, calls]) => [fault, rowOfFault(calls)]));
}

/** Returns the share of each name among the attempts of each quarter of the calls. */
export function sharesOf(attempts: readonly Attempt[], calls: number): Record<string, readonly number[]> {
  const severalKeys = new Set(attempts.map(({ key }) => key)).size > 1;
  const nameOf = ({ target, key }: Attempt) => (severalKeys ? `${target}/${key}` : target);
  const quarters = Array.from({ length: 4 }, (_, quarter) =>
    attempts.filter(({ call }) => Math.floor((call * 4) / calls) === quarter),
  );
  const names = [...new Set(attempts.map(nameOf))].sort();
  const share = (name: string, quarter: readonly Attempt[]) =>
    quarter.length === 0 ? 0 : quarter.filter((attempt) => nameOf(attempt) === name).length / quarter.length;
  return Object.fromEntries(names.map((name) => [name, quarters.map((quarter) => share(name, quarter))]));
}

/** Returns the attempts with a key that was limited, and that its provider had said when to use again. */
export function earlyAttemptsOf(attempts: readonly Attempt[]): readonly Attempt[] {
  const rejections = attempts.filter(({ limitedUntil }) => limitedUntil !== undefined);
  return attempts.filter(({ key, startedAt }) =>
    rejections.some(
      ({ key: limited, endedAt = Number.POSITIVE_INFINITY, limitedUntil = 0 }) =>
        limited === key && startedAt > endedAt + onItsWayMs && startedAt < limitedUntil,
    ),
  );
}

interface Aborts {
  readonly afterMs: readonly number[];
  readonly never: number;
}

/** Returns how long attempts outlived callers that left. */
function abortsOf(outcomes: readonly Outcome[], attempts: AttemptsOfCalls): Aborts {
  const afterMs: number[] = [];
  let never = 0;
  for (const { call, verdict, endedAt } of outcomes) {
    if (verdict !== "left") continue;
    for (const attempt of attempts.get(call) ?? []) {
      const end = attempt.endedAt ?? Number.POSITIVE_INFINITY;
      if (end < endedAt || attempt.startedAt > endedAt) continue;
      if (attempt.finished || attempt.endedAt === undefined) never++;
      else afterMs.push(end - endedAt);
    }
  }
  return { afterMs, never };
}

export interface CellResult {
  readonly scenario: string;
  readonly mode: Mode;
  readonly system: string;
  readonly outcomes: readonly Outcome[];
  readonly attempts: readonly Attempt[];
  /** Deltas of a whole response. */
  readonly deltas: number;
}

/** Counts what callers and upstreams saw. */
export function tally({ scenario, mode, system, outcomes, attempts, deltas }: CellResult): Row {
  const complete = outcomes.filter(({ verdict }) => verdict === "complete");
  const ends = new Map(outcomes.map(({ call, endedAt }) => [call, endedAt]));
  const attemptsOfCalls = Map.groupBy(attempts, ({ call }) => call);
  const extra = [...attemptsOfCalls.values()].flatMap((list) => list.slice(1));
  const aborts = abortsOf(outcomes, attemptsOfCalls);
  const tokens = attempts.reduce((sum, attempt) => sum + attempt.tokens, 0);
  return {
    scenario,
    mode,
    system,
    calls: outcomes.length,
    complete: complete.length,
    looksWhole: countOf(outcomes, "looks_whole"),
    errors: countOf(outcomes, "error"),
    left: countOf(outcomes, "left"),
    errorKinds: countDetails(outcomes, "error"),
    wrongKinds: countDetails(outcomes, "looks_whole"),
    byFault: byFault(outcomes, attemptsOfCalls),
    firstMs: percentiles(complete.map(({ firstMs = Number.NaN }) => firstMs)),
    totalMs: percentiles(complete.map(({ totalMs }) => totalMs)),
    shares: sharesOf(attempts, outcomes.length),
    attempts: attempts.length,
    extraAttempts: extra.length,
    saved: complete.filter(({ call }) => (attemptsOfCalls.get(call)?.length ?? 0) > 1).length,
    uselessAttempts: extra.filter(({ call, startedAt }) => startedAt > (ends.get(call) ?? 0) + onItsWayMs).length,
    earlyAttempts: earlyAttemptsOf(attempts).length,
    tokens,
    wastedTokens: tokens - complete.length * deltas,
    abortedAfterMs: { p50: quantile(aborts.afterMs, 0.5), max: quantile(aborts.afterMs, 1) },
    neverAborted: aborts.never,
  };
}
