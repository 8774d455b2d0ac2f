import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { append } from "../append.ts";
import type { ChatEvent } from "../chat/stream/events.ts";
import { createJsonCheck, returnsInvalid } from "../chat/stream/json-check.ts";
import { restoreToolNames } from "../chat/stream/restore-tool-names.ts";
import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { TimeInfo } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted, ChatStarted } from "../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import { Bill } from "../prices/bill.ts";
import { profileValues } from "../profiles/select-profile.ts";
import { runOnTarget, type TargetRun } from "../routing/choices.ts";
import { type FurtherRun, withRunAgain } from "../routing/run-again.ts";
import { SmallMap } from "../routing/small-map.ts";
import type { RunParameters } from "../routing/started-attempt.ts";
import { addUsage } from "../tokens/add-usage.ts";
import { estimateUsage } from "../tokens/usage-estimate.ts";
import { attemptOptions } from "./attempt-options.ts";
import type { Call } from "./call.ts";
import type { CallTarget } from "./call-targets.ts";
import { learnFrom, nameRejected } from "./learn.ts";
import type { Plan } from "./plan.ts";
import type { PreparedCall } from "./plan-call.ts";
import { priceUnknown } from "./price-unknown.ts";
import { returnRejected } from "./return-rejected.ts";

/** Running upstream requests of a plan. */
interface Run {
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /**
   * Returns the events of a batch with the facts of the call added, such as id, warnings and times. If the text is not
   * the requested JSON, throws or adds the violation. Copies events instead of modifying them, since an adapter may
   * return the same objects to several calls.
   */
  withCallFacts(batch: readonly ChatEvent[]): readonly ChatEvent[];
  /** Returns the size of the output so far in bytes. */
  outputSize(): number;
}

/**
 * Sends the request of a call upstream, as its route requires. `events` yields a batch of events for each read from the
 * provider, and reads only when its consumer does. `whole`: the caller wants a single response, not a stream.
 */
export function runCall({ chat, route, conversation, plan }: PreparedCall, call: Call, whole: boolean): Run {
  const attempts: Attempt[] = [];
  const bill = new Bill(call.snapshot.prices, call.startTime);
  /** Plans without fields that a provider rejected, by the plan with them. */
  const revised = new SmallMap<Plan, Plan>();
  /** When the latest attempt with a plan had its first output, in ms since the call began. */
  const outputMs = new SmallMap<Plan, number>();

  function start(planned: Plan, { target }: CallTarget, given: RunParameters): TargetRun {
    call.note({
      model: planned.target.model.id,
      provider: planned.target.model.provider,
      profile: planned.profile.name,
    });
    const runOnce = ({ target: sent, request, prompt, stops }: Plan): TargetRun => {
      const { model } = sent;
      const run = runOnTarget(sent, request, {
        ...attemptOptions(call, bill, { model, request, tools: providerTools(request) }, given),
        prompt,
        stops,
        onOutput(attempt) {
          outputMs.set(planned, call.elapsedMs);
          given.onOutput(attempt);
        },
      });
      append(attempts, run.attempts);
      return run;
    };

    /** Runs once more without fields that the provider rejected, if the caller wrote none of them. */
    async function withoutRejected(failure: unknown, failed: TargetRun): Promise<FurtherRun<ChatEvent> | undefined> {
      const learned = learnFrom(failure, planned, call.learned.untilMs());
      if (learned === undefined || target === undefined || !call.hasTimeForAnother(failed.attempts)) return undefined;
      const next = await planned.revise(learned);
      given.signal.throwIfAborted();
      revised.set(planned, next);
      return { run: runOnce(next), onOutput: () => call.learned.add(target, learned) };
    }

    const latest = () => revised.get(planned) ?? planned;
    return withRunAgain(runOnce(planned), withoutRejected, (failure) => nameRejected(failure, latest()));
  }

  function checkSize({ outputSize }: Pick<TargetRun, "outputSize">): void {
    if (outputSize > call.maxAnswerBytes) throw answerTooLarge(call.maxAnswerBytes);
  }

  const run = call.router.run(
    {
      signal: call.signal,
      whole,
      canHedge: chat.tools.every(({ kind }) => kind.case !== "providerTool"),
      conversation,
      leftMs: () => call.leftMs,
      plan,
      start,
      checkSize,
    },
    route,
  );
  call.note({ attempts });
  call.explainDeadline(() => run.waitsFor);
  call.countUsage(() => {
    run.noteUsage();
    return totalOf(attempts, bill, call);
  });

  // The latest attempt responds if the provider rejects its output and the caller wants that output (ON_INVALID_RETURN).
  const winner = () => run.winner ?? run.latest;
  /** The plan of the attempt that answers. */
  const answering = (): Plan => {
    const planned = winner()?.plan;
    if (planned === undefined) throw new Error("there is an event, but no attempt has reached its commit point");
    return revised.get(planned) ?? planned;
  };
  let checkJson: ReturnType<typeof createJsonCheck> | undefined;
  let isChecking = false;
  const withFacts = (event: ChatEvent): ChatEvent => {
    if (event.case === "started") {
      return { case: "started", value: startedOf(event.value, answering(), winner()?.fellBack ?? "", call) };
    }
    if (event.case !== "completed") return event;
    const usage = event.value.usage && bill.total(event.value.usage);
    call.countUsage(() => usage);
    const warnings = [...event.value.warnings, ...priceWarnings(answering(), bill, call)];
    return { case: "completed", value: completedOf({ ...event.value, ...(usage && { usage }), warnings }, call) };
  };
  /** Charges the latest attempt for its output, which the provider rejected. Then nothing charges it once more. */
  const chargeRejected = (outputCharacters: number): Usage => {
    const { request, target } = answering();
    const estimate = estimateUsage(request, outputCharacters, UsageQuality.ESTIMATED);
    const usage = bill.charge(target.model, estimate, request.serviceTier);
    const latest = attempts.at(-1);
    if (latest !== undefined) latest.usage = usage;
    run.noteUsage();
    return usage;
  };
  return {
    events: returnsInvalid(chat.outputFormat) ? returnRejected(run.events, chat, chargeRejected) : run.events,
    outputSize: () => run.outputSize,
    withCallFacts(batch) {
      const planned = answering();
      if (!isChecking) checkJson = createJsonCheck(planned.outputFormat, planned.checksSchema);
      isChecking = true;
      checkSize(run);
      if (call.firstOutputMs === undefined && run.outputCharacters > 0) {
        // Routing holds a whole response until its end.
        call.outputStarted(whole ? outputMs.get(winner()?.plan ?? planned) : undefined);
      }
      const checked = checkJson ? batch.map(checkJson) : batch;
      const named = planned.toolNames ? restoreToolNames(checked, planned.toolNames) : checked;
      return named.every(({ case: kind }) => kind === "delta") ? named : named.map(withFacts);
    },
  };
}

/** Returns the types of the tools that the provider runs. */
function providerTools({ tools }: ChatRequest): readonly string[] {
  return tools.flatMap(({ kind }) => (kind.case === "providerTool" ? [kind.value.type] : []));
}

/** Returns the usage of a call that fails: that of all its attempts. Undefined: none can have used tokens. */
export function totalOf(attempts: readonly Attempt[], bill: Bill, call: Call): Usage | undefined {
  const usages = attempts.flatMap(({ usage }) => usage ?? []);
  if (bill.unknown.length > 0) call.notes.add("PRICE_UNKNOWN");
  return usages.length === 0 ? undefined : bill.total(usages.reduce(addUsage));
}

/** Returns a warning if the cost of the response is unknown, and the plan has none. */
export function priceWarnings({ warnings }: Pick<Plan, "warnings">, { unknown }: Bill, call: Call): readonly Warning[] {
  const [what] = unknown;
  if (what === undefined) return [];
  call.notes.add("PRICE_UNKNOWN");
  return warnings.some(({ reason }) => reason === "PRICE_UNKNOWN") ? [] : [priceUnknown(what)];
}

/** @param fix what to write for a smaller response */
export function answerTooLarge(maxBytes: number, fix = "lower the output limit"): GatewayError {
  const message = `the response exceeds limits.max_answer_size, ${maxBytes} bytes; ${fix}`;
  return new GatewayError("ANSWER_TOO_LARGE", message);
}

function startedOf(started: ChatStarted, plan: Plan, fellBack: string, call: Call): ChatStarted {
  const { model } = plan.target;
  return {
    ...started,
    id: call.id,
    model: model.id,
    provider: model.provider,
    createTime: timestampFromDate(call.startTime),
    effectiveParameters: plan.effectiveParameters,
    profile: profileValues[plan.profile.name],
    warnings: [
      ...(fellBack === "" ? [] : [fallbackWarning(fellBack)]),
      ...plan.warnings,
      ...call.holdings.warnings,
      ...started.warnings,
    ],
  };
}

export function fallbackWarning(message: string): Warning {
  return { $typeName: "dragoman.v1.Warning", reason: "FELL_BACK", field: "", message };
}

function completedOf(completed: ChatCompleted, call: Call): ChatCompleted {
  const timeInfo: TimeInfo = { $typeName: "dragoman.v1.TimeInfo", ...completed.timeInfo };
  if (call.firstOutputMs !== undefined) timeInfo.firstOutputDuration = durationFromMs(Math.round(call.firstOutputMs));
  timeInfo.totalDuration = durationFromMs(Math.round(call.elapsedMs));
  return { ...completed, timeInfo, attempts: [...call.attempts] };
}
