import { getEventListeners } from "node:events";
import { create } from "@bufbuild/protobuf";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { Secret } from "../../../src/config/secret.ts";
import { GatewayError } from "../../../src/errors.ts";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import type { Candidate, CandidateRoute } from "../../../src/routing/candidate.ts";
import type { RoutedCall } from "../../../src/routing/route-run.ts";
import { Router } from "../../../src/routing/router.ts";
import type { TargetStateName } from "../../../src/routing/target-view.ts";
import type { Script, ScriptedCall } from "./script.ts";
import { pause, scriptedRun } from "./scripted-run.ts";
import { type Moment, type Trace, type TracedAttempt, type TracedCall, type TracedChange, targetOf } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";

interface Member extends Candidate {
  readonly index: number;
}

/** Questions for the time left in one turn from which a call is taken for one that never ends. */
const endless = 100_000;

/** Plays a script on a virtual clock, and returns what happened. */
export async function play(script: Script): Promise<Trace> {
  const clock = new VirtualClock(script.startMs, script.seed, script.merges);
  const router = new Router({ breaker: script.breaker, clock, seed: script.seed });
  let seq = 0;
  const moment = (): Moment => ({ ms: clock.now(), turn: clock.turn, seq: seq++ });
  const calls: TracedCall[] = [];
  const attempts: TracedAttempt[] = [];
  const changes: TracedChange[] = [];
  const trace = { script, calls, attempts, changes };

  const keyOf = Array.from({ length: 3 }, (_, provider) =>
    [1, 2, 5].map((weight, index) => ({ name: `p${provider}k${index}`, secret: new Secret("secret"), weight })),
  );
  const targets = script.targets.map(({ keys, provider }, index) => {
    const model = create(ModelSchema, { provider: `p${provider}`, providerModel: `t${index}` });
    const state = router.stateOfNobody(`p${provider}/t${index}`);
    return { model, state, keys: state.keysFor(keyOf[provider]?.slice(0, keys)), begun: 0 };
  });
  router.onChange(({ target, key, from, to, forMs }) => {
    if (key !== undefined) return;
    const index = targets.findIndex(({ state }) => state.name === target);
    changes.push({
      ...moment(),
      target: index,
      from: from as TargetStateName,
      to: to as TargetStateName,
      forMs,
    });
  });

  function candidatesOf({ route, obstacles }: ScriptedCall): CandidateRoute<Member> {
    const { tiers, rules } = script.routes[route] ?? script.routes[0] ?? { tiers: [], rules: undefined as never };
    const memberOf = (index: number): Member => {
      const { weight, cost, windowTokens } = targetOf(trace as unknown as Trace, index);
      const obstacle = obstacles.includes(index) ? new GatewayError("UNSUPPORTED_PARAMETER", "an obstacle") : undefined;
      const { state, keys } = targets[index] as (typeof targets)[number];
      return { index, state, keys, weight, cost, windowTokens, obstacle };
    };
    return {
      id: `route${route}`,
      rules,
      tiers: tiers.map((tier) => ({ balance: tier.balance, members: tier.targets.map(memberOf) })),
    };
  }

  async function playCall(scripted: ScriptedCall, index: number): Promise<void> {
    const route = candidatesOf(scripted);
    const start = moment();
    const deadlineMs = start.ms + scripted.deadlineMs;
    const traced: TracedCall = {
      index,
      scripted,
      route: script.routes[scripted.route] as TracedCall["route"],
      start,
      deadlineMs,
      attempts: [],
      handed: [],
      ends: [],
    };
    calls.push(traced);
    const controller = new AbortController();
    const { signal } = controller;
    const end = (kind: "DEADLINE_EXCEEDED" | "CANCELLED") => {
      traced.abort ??= { ...moment(), kind };
      controller.abort(new GatewayError(kind, "the call has ended"));
    };
    const cancels = [clock.after(scripted.deadlineMs, () => end("DEADLINE_EXCEEDED"))];
    if (scripted.cancelMs !== undefined) cancels.push(clock.after(scripted.cancelMs, () => end("CANCELLED")));
    let asked = 0;
    let askedTurn = 0;
    const leftMs = () => {
      asked = askedTurn === clock.turn ? asked + 1 : 0;
      askedTurn = clock.turn;
      if (asked > endless) {
        traced.isEndless = true;
        throw new Error("the call does not come to an end");
      }
      return deadlineMs - clock.now();
    };
    const call: RoutedCall<Member, number, ChatEvent> = {
      signal,
      whole: scripted.whole,
      canHedge: scripted.canHedge,
      conversation:
        scripted.conversation === undefined || !traced.route.rules.affinity
          ? undefined
          : { key: `conversation${scripted.conversation}`, ttlMs: 300_000, isKnown: true },
      leftMs,
      async plan(member) {
        if (scripted.planMs > 0) {
          await pause(scripted.planMs, clock, signal);
        }
        if (scripted.unplannable.includes(member.index)) {
          throw new GatewayError("UNSUPPORTED_PARAMETER", "the target does not support a parameter");
        }
        return member.index;
      },
      start(target, member, parameters) {
        const place = targets[target] as (typeof targets)[number];
        const { behaviors } = targetOf(trace as unknown as Trace, target);
        const attempt: TracedAttempt = {
          call: traced,
          target: member.index,
          key: parameters.key?.name ?? `t${target}`,
          behavior: behaviors[place.begun++ % behaviors.length] as TracedAttempt["behavior"],
          isWhole: parameters.whole,
          signal: parameters.signal,
          start: moment(),
          leftMs: deadlineMs - clock.now(),
          ends: [],
          batches: [],
          hasUsage: () => false,
        };
        traced.attempts.push(attempt);
        attempts.push(attempt);
        return scriptedRun(attempt, place.model, parameters, clock, moment);
      },
    };
    if (scripted.looksFirst && scripted.planMs === 0) {
      const found = await router.consider(call, route).catch(() => undefined);
      const first = found?.considered[0];
      if (first !== undefined) traced.considered = { target: first.candidate.index, rejection: first.rejection };
    }
    let error: unknown;
    try {
      for await (const batch of router.run(call, route).events) traced.handed.push({ ...moment(), batch });
    } catch (thrown) {
      error = thrown;
    }
    for (const cancel of cancels) cancel();
    traced.ends.push({ ...moment(), error });
    // Planning for an attempt that is not made any more can go on for a while.
    if (!signal.aborted && scripted.planMs === 0) traced.listeners = getEventListeners(signal, "abort").length;
  }

  for (const [index, call] of script.calls.entries()) clock.after(call.startMs, () => void playCall(call, index));
  let leftTimers = 0;
  await clock.play(() => {
    if (script.calls.some(({ planMs }) => planMs > 0)) return;
    if (calls.length < script.calls.length || calls.some(({ ends }) => ends.length === 0)) return;
    const ofBreakers = changes.filter(({ to, ms, forMs = 0 }) => to === "open" && ms + forMs > clock.now()).length;
    leftTimers = Math.max(leftTimers, clock.pending - ofBreakers);
  });
  return { ...trace, leftInFlight: targets.reduce((sum, { state }) => sum + state.inFlight, 0), leftTimers };
}
