import type { Adaptation } from "../chat/planning/adaptations.ts";
import { type ChatEvent, completed, started } from "../chat/stream/events.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted } from "../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import { estimateUsage } from "../tokens/usage-estimate.ts";
import { type AttemptOptions, type RunningAttempt, startAttempt } from "./attempt.ts";
import { attemptFailure } from "./attempt-failure.ts";
import type { Target } from "./target.ts";

/** The most upstream requests that are made for one call. */
const maxRequests = 8;

/** A request in progress at one target. */
interface TargetRun {
  /** One for each upstream request; by choice where each choice has its own. */
  readonly attempts: readonly Attempt[];
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /** Whether the provider has accepted a request. */
  readonly accepted: boolean;
  /** Characters of output so far, for an estimate of tokens. */
  readonly outputCharacters: number;
}

/**
 * Sends a request to a target: in one upstream request, or in one for each choice where the target gives only one choice
 * for a request.
 */
export function runOnTarget(target: Target, request: ChatRequest, options: AttemptOptions): TargetRun {
  const count = upstreamRequests(request, target);
  const signals = new AbortController();
  const running = Array.from({ length: count }, (_, index) =>
    count === 1
      ? startAttempt(target, request, options)
      : startAttempt(target, requestOfChoice(request, index), {
          ...options,
          signal: AbortSignal.any([options.signal, signals.signal]),
        }),
  );
  const [only] = running;
  return {
    attempts: running.map(({ attempt }) => attempt),
    events: count === 1 && only ? only.events : mergeChoices(running, request, signals),
    get accepted() {
      return running.some(({ validator }) => validator.accepted);
    },
    get outputCharacters() {
      return running.reduce((sum, { validator }) => sum + validator.outputCharacters, 0);
    },
  };
}

/** How many upstream requests a request takes: one, or one for each choice. */
function upstreamRequests({ parameters }: ChatRequest, target: Target): number {
  const choices = parameters?.n ?? 1;
  return choices > choicesPerRequest(target) ? choices : 1;
}

/** The request as the provider gets it: where each choice has a request of its own, that of the first. */
export function firstUpstreamRequest(request: ChatRequest, target: Target): ChatRequest {
  return upstreamRequests(request, target) > 1 ? requestOfChoice(request, 0) : request;
}

function choicesPerRequest({ model, adapter }: Target): number {
  return model.capabilities?.multipleChoices === false ? 1 : (adapter.maxChoices ?? Number.POSITIVE_INFINITY);
}

/** What the caller is told where choices take a request each: every one is billed, and there is a bound. */
export function choiceAdaptations(request: ChatRequest, target: Target): readonly Adaptation[] {
  const count = upstreamRequests(request, target);
  if (count === 1) return [];
  const { name } = target.adapter;
  const field = ["parameters", "n"];
  if (count > maxRequests) {
    const most = Math.max(maxRequests, choicesPerRequest(target));
    return [{ kind: "REJECTED", field, message: `${name} gives at most ${most} choices for a request` }];
  }
  const seeds = request.parameters?.seed === undefined ? "" : ", each with a seed of its own";
  const message = `${name} is asked ${count} times, once for each choice${seeds}; the prompt counts each time`;
  return [{ kind: "EMULATED", field, message }];
}

/** The upstream request of one choice. */
interface Branch extends RunningAttempt {
  readonly index: number;
  readonly batches: AsyncIterator<readonly ChatEvent[]>;
  readonly warnings: Warning[];
  completed: ChatCompleted | undefined;
}

interface Arrival {
  readonly branch: Branch;
  /** Undefined at the end of the branch. */
  readonly batch: readonly ChatEvent[] | undefined;
}

/**
 * Merges the answers to requests that run at the same time, one for each choice, to one stream.
 *
 * The stream starts with the first output: if one answer waited for another, requests that share few connections could
 * wait for each other for ever. Of each answer at most one batch is held, and none is read while the consumer does not
 * pull. The first failure ends all requests and is the failure.
 */
async function* mergeChoices(
  running: readonly RunningAttempt[],
  request: ChatRequest,
  others: AbortController,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
  const branches = running.map((attempt, index): Branch => {
    const batches = attempt.events[Symbol.asyncIterator]();
    return { ...attempt, index, batches, warnings: [], completed: undefined };
  });
  const arrived: Arrival[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};

  /** Reads a batch without being waited for: the outcome is in `arrived` or in `failure`. */
  async function read(branch: Branch): Promise<void> {
    try {
      const { done, value } = await branch.batches.next();
      arrived.push({ branch, batch: done ? undefined : value });
    } catch (error) {
      failure ??= { error };
      others.abort(new GatewayError("CANCELLED", "the request of another choice failed"));
    }
    wake();
  }

  try {
    let reading: readonly Branch[] = branches;
    let isStarted = false;
    for (let open = branches.length; open > 0; ) {
      if (failure !== undefined) throw failureOfCall(failure.error, branches);
      for (const branch of reading) void read(branch);
      if (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const arrivals = arrived.splice(0);
      reading = arrivals.filter(({ batch }) => batch !== undefined).map(({ branch }) => branch);
      open -= arrivals.length - reading.length;
      const batch = arrivals.flatMap((arrival) => take(arrival));
      if (!isStarted && arrivals.length > 0) yield [started(), ...batch];
      else if (batch.length > 0) yield batch;
      isStarted ||= arrivals.length > 0;
    }
    yield [mergeEnds(branches, request)];
  } finally {
    others.abort(new GatewayError("CANCELLED", "the answer is no longer wanted"));
    await Promise.allSettled(branches.map(({ batches }) => batches.return?.()));
  }
}

/**
 * The request for one choice. With one seed all choices would be the same, so each has its own, moved in the direction
 * that stays within the range of a provider that takes the caller's.
 */
function requestOfChoice(request: ChatRequest, index: number): ChatRequest {
  if (request.parameters === undefined) return request;
  const { n: _, ...parameters } = request.parameters;
  if (parameters.seed !== undefined) {
    const seed = BigInt(parameters.seed);
    parameters.seed = String(seed < maxRequests ? seed + BigInt(index) : seed - BigInt(index));
  }
  return { ...request, parameters };
}

/** The failure of one answer, as that of all: output of another choice may have been handed on. */
function failureOfCall(error: unknown, branches: readonly Branch[]): unknown {
  const begun = branches.find(({ validator }) => validator.outputStarted);
  return begun === undefined ? error : attemptFailure(error, begun.attempt, true);
}

/** The events of an arrival as they go into the merged stream. */
function take({ branch, batch }: Arrival): readonly ChatEvent[] {
  const { index, warnings } = branch;
  return (batch ?? []).flatMap((event): readonly ChatEvent[] => {
    switch (event.case) {
      case "started":
        warnings.push(...event.value.warnings);
        return [];
      case "delta":
        requireOnly(event.value.choiceIndex);
        return [{ case: "delta", value: { ...event.value, choiceIndex: index } }];
      case "finished":
        requireOnly(event.value.choiceIndex);
        return [{ case: "finished", value: { ...event.value, choiceIndex: index } }];
      case "completed":
        warnings.push(...event.value.warnings);
        branch.completed = event.value;
        return [];
      default:
        return event satisfies never;
    }
  });
}

/** An upstream request for one choice is answered with one. */
function requireOnly(choiceIndex: number): void {
  if (choiceIndex === 0) return;
  throw new GatewayError("PROVIDER_FAULT", "the provider's answer is malformed: it has more choices than requested");
}

/** Sums usage, merges warnings, and takes the rest from the first answer. */
function mergeEnds(branches: readonly Branch[], request: ChatRequest): ChatEvent {
  const usages = branches.map(
    ({ completed, validator }) =>
      completed?.usage ?? estimateUsage(request, validator.outputCharacters, UsageQuality.ESTIMATED),
  );
  const warnings = distinct(branches.flatMap((branch) => branch.warnings));
  return completed({ ...branches[0]?.completed, usage: usages.reduce(addUsage), warnings });
}

const counts = [
  "inputTokens",
  "outputTokens",
  "totalTokens",
  "cachedInputTokens",
  "cacheWriteInputTokens",
  "reasoningTokens",
  "acceptedPredictionTokens",
  "rejectedPredictionTokens",
] as const satisfies readonly (keyof Usage)[];

/** Qualities are numbered from the best to the worst. */
function addUsage(sum: Usage, usage: Usage): Usage {
  const added = { ...sum, quality: Math.max(sum.quality, usage.quality) };
  for (const count of counts) added[count] += usage[count];
  const costs = [sum, usage].flatMap(({ providerCostUsd }) => providerCostUsd ?? []);
  if (costs.length > 0) added.providerCostUsd = costs.reduce((total, cost) => total + cost);
  return added;
}

function distinct(warnings: readonly Warning[]): Warning[] {
  const byText = new Map(
    warnings.map((warning) => [`${warning.reason}\n${warning.field}\n${warning.message}`, warning]),
  );
  return [...byText.values()];
}
