import { budgetLaws, hedgeBudgetLaw, hedgeLaws, shareLaws, startLaws } from "./attempt-laws.ts";
import { breakerLaws } from "./breaker-laws.ts";
import { commitLaws, endLaws } from "./call-laws.ts";
import { keyLaws } from "./key-laws.ts";
import { Model } from "./model.ts";
import type { Trace, TracedAttempt, TracedCall } from "./trace.ts";

/** Throws what a trace violates of the laws of routing. */
export function check(trace: Trace): void {
  const model = new Model(trace);
  const fail = (text: string, { call, target, start }: Partial<TracedAttempt> & { call: TracedCall }): never => {
    const place = start === undefined ? "" : ` (attempt at target ${target}, started at ${start.ms})`;
    throw new Error(`call ${call.index}: ${text}${place}`);
  };
  for (const call of trace.calls) {
    endLaws(call, model, (text) => fail(text, { call }));
    commitLaws(call, (text) => fail(text, { call }));
    for (const attempt of call.attempts) {
      startLaws(attempt, model, (text) => fail(text, attempt));
      hedgeLaws(attempt, model, (text) => fail(text, attempt));
      shareLaws(attempt, model, (text) => fail(text, attempt));
      budgetLaws(attempt, model, (text) => fail(text, attempt));
    }
  }
  hedgeBudgetLaw(model);
  keyLaws(model);
  breakerLaws(model);
  if (trace.leftInFlight !== 0) throw new Error(`${trace.leftInFlight} attempts are in progress after the end`);
  if (trace.leftTimers > 0) throw new Error(`${trace.leftTimers} timers are left after the last call`);
}
