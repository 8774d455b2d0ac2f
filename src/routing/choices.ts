import { append } from "../append.ts";
import type { Adaptation } from "../chat/planning/adaptations.ts";
import { seedOf, seedValue } from "../chat/planning/seed.ts";
import { createBounds } from "../chat/stream/bound-events.ts";
import { type ChatEvent, completed, started } from "../chat/stream/events.ts";
import { GatewayError } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompleted } from "../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import { addUsage } from "../tokens/add-usage.ts";
import { estimateUsage, partialUsage } from "../tokens/usage-estimate.ts";
import { type AttemptOptions, type RunningAttempt, startAttempt } from "./attempt.ts";
import { attemptFailure } from "./attempt-failure.ts";
import { mergeMetadata } from "./merge-metadata.ts";
import type { Target } from "./target.ts";

/** Maximum number of upstream requests per call. Applies if Dragoman sends one request per choice. */
const maxRequests = 8;

/** Request in progress at one target (a model and its provider's adapter). */
export interface TargetRun {
  /** One attempt per upstream request. With one request per choice, in the order of the choices. */
  readonly attempts: readonly Attempt[];
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /** Output so far in characters, to estimate tokens. */
  readonly outputCharacters: number;
  /** Size of the output so far in bytes (chat/stream/delta-size.ts). */
  readonly outputSize: number;
  /** What an upstream request waits for in a queue (upstream/upstream-call.ts). Undefined: none waits. */
  readonly waitsFor: string | undefined;
  /** Returns the usage of a call that fails now. Undefined: no upstream request can have used tokens. */
  usageSoFar(): Usage | undefined;
}

/**
 * Sends a request to a target: as one upstream request, or as one request per choice if the target supports fewer
 * choices per request than requested.
 */
export function runOnTarget(target: Target, request: ChatRequest, options: AttemptOptions): TargetRun {
  const count = upstreamRequests(request, target);
  const signals = new AbortController();
  const running = Array.from({ length: count }, (_, index) =>
    count === 1
      ? startAttempt(target, request, options)
      : startAttempt(target, requestOfChoice(request, index), {
          ...options,
          choiceIndex: index,
          signal: AbortSignal.any([options.signal, signals.signal]),
        }),
  );
  const [only] = running;
  return {
    attempts: running.map(({ attempt }) => attempt),
    events: count === 1 && only ? only.events : mergeChoices(running, request, signals),
    get outputCharacters() {
      return running.reduce((sum, { validator }) => sum + validator.outputCharacters, 0);
    },
    get outputSize() {
      return running.reduce((sum, { validator }) => sum + validator.outputSize, 0);
    },
    get waitsFor() {
      return running.find(({ queue }) => queue.waitsFor !== undefined)?.queue.waitsFor;
    },
    usageSoFar: () => usageSoFar(running, request),
  };
}

/**
 * Adds what each upstream request has used: what the provider reported, else an estimate. A request that the provider
 * rejected, or that did not reach it, has used nothing.
 */
function usageSoFar(running: readonly RunningAttempt[], request: ChatRequest): Usage | undefined {
  const usages = running.flatMap(({ attempt, validator, queue }) => {
    if (attempt.usage !== undefined) return [attempt.usage];
    const { outcome, duration } = attempt;
    const isStarted = outcome !== AttemptOutcome.ABANDONED || duration !== undefined;
    const wasSent = outcome !== AttemptOutcome.FAILED && isStarted && queue.waitsFor === undefined;
    return validator.accepted || wasSent ? [partialUsage(request, validator.outputCharacters)] : [];
  });
  return usages.length === 0 ? undefined : usages.reduce(addUsage);
}

/** Returns the number of upstream requests: one, or one per choice. */
function upstreamRequests({ parameters }: ChatRequest, target: Target): number {
  const choices = parameters?.n ?? 1;
  return choices > choicesPerRequest(target) ? choices : 1;
}

/** Returns the first upstream request: the request itself or, with one request per choice, that of the first choice. */
export function firstUpstreamRequest(request: ChatRequest, target: Target): ChatRequest {
  return upstreamRequests(request, target) > 1 ? requestOfChoice(request, 0) : request;
}

function choicesPerRequest({ model, adapter }: Target): number {
  return model.capabilities?.multipleChoices === false ? 1 : (adapter.maxChoices ?? Number.POSITIVE_INFINITY);
}

/**
 * Returns a warning if Dragoman sends one request per choice, since each is billed. Returns a rejection if that would
 * be more than `maxRequests`. An adaptation is a change or rejection of a request, with a message for the caller.
 */
export function choiceAdaptations(request: ChatRequest, target: Target): readonly Adaptation[] {
  const count = upstreamRequests(request, target);
  if (count === 1) return [];
  const { name } = target.adapter;
  const field = ["parameters", "n"];
  if (count > maxRequests) {
    const most = Math.max(maxRequests, choicesPerRequest(target));
    return [{ kind: "REJECTED", field, message: `at most ${most} choices per request are supported with ${name}` }];
  }
  const seeds = seedOf(request.parameters) === undefined ? "" : ", each with a different seed";
  const message = `sent to ${name} as ${count} requests, one per choice${seeds}; each is billed for the prompt`;
  return [{ kind: "EMULATED", field, message }];
}

/** Upstream request for one choice. */
interface Branch extends RunningAttempt {
  readonly index: number;
  readonly batches: AsyncIterator<readonly ChatEvent[]>;
  readonly warnings: Warning[];
  completed: ChatCompleted | undefined;
}

interface Arrival {
  readonly branch: Branch;
  /** Undefined: the branch has ended. */
  readonly batch: readonly ChatEvent[] | undefined;
}

/**
 * Merges the responses to concurrent requests, one per choice, into one stream.
 *
 * The stream starts with the first output of any response. Waiting for the others could deadlock: a request may wait
 * until another one frees its connection. Holds at most one unread batch of events per response. The first failure
 * aborts all other requests and becomes the error of the call.
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

  /** Reads one batch in the background. Puts the result into `arrived` or `failure`. */
  async function read(branch: Branch): Promise<void> {
    try {
      const { done, value } = await branch.batches.next();
      arrived.push({ branch, batch: done ? undefined : value });
    } catch (error) {
      failure ??= { error };
      others.abort(new GatewayError("CANCELLED", "the upstream request for another choice failed"));
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
    // Each response keeps the bounds, but all of their metadata together may exceed them.
    yield createBounds()([mergeEnds(branches, request)]);
  } finally {
    others.abort(new GatewayError("CANCELLED", "the response is no longer needed"));
    await Promise.allSettled(branches.map(({ batches }) => batches.return?.()));
  }
}

/**
 * Returns the request for one choice. With the same seed all choices would be equal, so each gets a different seed.
 * Small seeds count up and large ones count down, so that they stay in the range of a provider that accepts the
 * caller's seed.
 */
function requestOfChoice(request: ChatRequest, index: number): ChatRequest {
  if (request.parameters === undefined) return request;
  const { n: _, ...parameters } = request.parameters;
  const seed = seedOf(parameters);
  if (seed !== undefined) {
    parameters.seedValue = seedValue(seed < maxRequests ? seed + BigInt(index) : seed - BigInt(index));
  }
  return { ...request, parameters };
}

/** Returns the error of the call if one request fails. It is marked as partial if any choice already had output. */
function failureOfCall(error: unknown, branches: readonly Branch[]): unknown {
  const begun = branches.find(({ validator }) => validator.outputStarted);
  return begun === undefined ? error : attemptFailure(error, begun.attempt, true);
}

/** Converts the events of one branch for the merged stream. Stores warnings and `completed` in the branch. */
function take({ branch, batch }: Arrival): readonly ChatEvent[] {
  const { index, warnings } = branch;
  return (batch ?? []).flatMap((event): readonly ChatEvent[] => {
    switch (event.case) {
      case "started":
        append(warnings, event.value.warnings);
        return [];
      case "delta":
        requireOnly(event.value.choiceIndex);
        return [{ case: "delta", value: { ...event.value, choiceIndex: index } }];
      case "finished":
        requireOnly(event.value.choiceIndex);
        return [{ case: "finished", value: { ...event.value, choiceIndex: index } }];
      case "completed":
        append(warnings, event.value.warnings);
        branch.completed = event.value;
        return [];
      default:
        return event satisfies never;
    }
  });
}

/** Throws PROVIDER_FAULT if the response to a request for one choice has a second choice. */
function requireOnly(choiceIndex: number): void {
  if (choiceIndex === 0) return;
  throw new GatewayError("PROVIDER_FAULT", "the provider's response is malformed: it has more choices than requested");
}

/** Merges the `completed` events: sums usage, merges warnings and metadata, and takes all else from the first choice. */
function mergeEnds(branches: readonly Branch[], request: ChatRequest): ChatEvent {
  const usages = branches.map(
    ({ completed, validator }) =>
      completed?.usage ?? estimateUsage(request, validator.outputCharacters, UsageQuality.ESTIMATED),
  );
  const warnings = distinct(branches.flatMap((branch) => branch.warnings));
  const providerMetadataJson = mergeMetadata(branches.map((branch) => branch.completed?.providerMetadataJson ?? ""));
  return completed({ ...branches[0]?.completed, usage: usages.reduce(addUsage), warnings, providerMetadataJson });
}

function distinct(warnings: readonly Warning[]): Warning[] {
  const byText = new Map(
    warnings.map((warning) => [`${warning.reason}\n${warning.field}\n${warning.message}`, warning]),
  );
  return [...byText.values()];
}
