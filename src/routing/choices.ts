import type { Adaptation } from "../chat/planning/adaptations.ts";
import { type ChatEvent, completed, started } from "../chat/stream/events.ts";
import { createStreamValidator, type StreamValidator } from "../chat/stream/stream-validator.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { ChatCompleted } from "../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import type { Adapter, AdapterContext } from "../providers/adapter.ts";
import { estimateUsage } from "../tokens/usage-estimate.ts";

/** The most calls that are made for one request. */
const mostCalls = 8;

/** Asks a provider once. */
export type Ask = (request: ChatRequest, context: AdapterContext) => AsyncIterable<readonly ChatEvent[]>;

/** How many calls a request takes: one, or one for each choice where a single call does not give that many. */
export function callsFor({ parameters }: ChatRequest, model: Model, adapter: Adapter): number {
  const choices = parameters?.n ?? 1;
  return choices > choicesOfOneCall(model, adapter) ? choices : 1;
}

/** The request as the provider gets it: where there is a call for each choice, that of the first. */
export function firstCall(request: ChatRequest, model: Model, adapter: Adapter): ChatRequest {
  return callsFor(request, model, adapter) > 1 ? singleRequest(request, 0) : request;
}

function choicesOfOneCall({ capabilities }: Model, { maxChoices = Number.POSITIVE_INFINITY }: Adapter): number {
  return capabilities?.multipleChoices === false ? 1 : maxChoices;
}

/** What the caller is told where several choices take several calls: each is paid for, and there is a bound. */
export function choiceAdaptations(request: ChatRequest, model: Model, adapter: Adapter): readonly Adaptation[] {
  const calls = callsFor(request, model, adapter);
  if (calls === 1) return [];
  const field = "parameters.n";
  if (calls > mostCalls) {
    const most = Math.max(mostCalls, choicesOfOneCall(model, adapter));
    return [{ kind: "REJECTED", field, message: `${adapter.name} gives at most ${most} choices for a request` }];
  }
  const seeds = request.parameters?.seed === undefined ? "" : ", each with a seed of its own";
  const message = `${adapter.name} is asked ${calls} times, once for each choice${seeds}; the prompt counts each time`;
  return [{ kind: "EMULATED", field, message }];
}

/** One of the calls, which gives one choice. */
interface Branch {
  readonly index: number;
  readonly attempt: Attempt;
  readonly batches: AsyncIterator<readonly ChatEvent[]>;
  readonly guard: StreamValidator;
  readonly warnings: Warning[];
  completed: ChatCompleted | undefined;
}

interface Arrival {
  readonly branch: Branch;
  /** Undefined at the end of the branch. */
  readonly batch: readonly ChatEvent[] | undefined;
}

/**
 * Asks a provider for each choice in a call of its own, all at the same time, and merges the answers to one stream.
 *
 * The stream starts with the first call that is accepted: if one waited for another, calls that share few connections
 * could wait for each other for ever. Of each call at most one batch is held, and none is read while the consumer does
 * not pull. The first failure ends all calls and is the failure.
 */
export async function* fanOut(
  ask: Ask,
  request: ChatRequest,
  calls: number,
  context: AdapterContext,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
  const end = new AbortController();
  const signal = AbortSignal.any([context.signal, end.signal]);
  const branches = Array.from({ length: calls }, (_, index): Branch => {
    const attempt = index === 0 ? context.attempt : { ...context.attempt, providerLimits: {} };
    const batches = ask(singleRequest(request, index), { ...context, signal, attempt })[Symbol.asyncIterator]();
    return { index, attempt, batches, guard: createStreamValidator(), warnings: [], completed: undefined };
  });
  const arrived: Arrival[] = [];
  let wake = () => {};

  /** Reads a batch without anyone waiting: what becomes of it is in `arrived` or in the reason of `end`. */
  async function read(branch: Branch): Promise<void> {
    try {
      const { done, value } = await branch.batches.next();
      arrived.push({ branch, batch: done ? undefined : value });
    } catch (failure) {
      if (!signal.aborted) Object.assign(context.attempt, branch.attempt);
      end.abort(failure);
    }
    wake();
  }

  try {
    let reading: readonly Branch[] = branches;
    let isStarted = false;
    for (let open = calls; open > 0; ) {
      end.signal.throwIfAborted();
      for (const branch of reading) void read(branch);
      if (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const arrivals = arrived.splice(0);
      reading = arrivals.filter(({ batch }) => batch !== undefined).map(({ branch }) => branch);
      open -= arrivals.length - reading.length;
      const batch = arrivals.flatMap(take);
      if (!isStarted && arrivals.length > 0) yield [started(), ...batch];
      else if (batch.length > 0) yield batch;
      isStarted ||= arrivals.length > 0;
    }
    yield [mergeEnds(branches, request)];
  } finally {
    end.abort(new GatewayError("CANCELLED", "the other calls for this request are no longer wanted"));
    await Promise.allSettled(branches.map(({ batches }) => batches.return?.()));
  }
}

/**
 * The request for one choice. With one seed all choices would be the same, so each has its own, moved in the direction
 * that stays within the range of a provider that takes the caller's.
 */
function singleRequest(request: ChatRequest, index: number): ChatRequest {
  if (request.parameters === undefined) return request;
  const { n: _, ...parameters } = request.parameters;
  if (parameters.seed !== undefined) {
    const seed = BigInt(parameters.seed);
    parameters.seed = String(seed < mostCalls ? seed + BigInt(index) : seed - BigInt(index));
  }
  return { ...request, parameters };
}

/** The events of an arrival as they go into the merged stream. Throws where the branch breaks the stream law. */
function take({ branch, batch }: Arrival): readonly ChatEvent[] {
  const { index, guard, warnings } = branch;
  if (batch === undefined) guard.end();
  return (batch ?? []).flatMap((event): readonly ChatEvent[] => {
    guard.accept(event);
    switch (event.case) {
      case "started":
        warnings.push(...event.value.warnings);
        return [];
      case "delta":
        return [{ case: "delta", value: { ...event.value, choiceIndex: index } }];
      case "finished":
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

/** What is said of the whole answer but not counted, the first call says. */
function mergeEnds(branches: readonly Branch[], request: ChatRequest): ChatEvent {
  const usages = branches.map(
    ({ completed, guard }) =>
      completed?.usage ?? estimateUsage(request, guard.outputCharacters, UsageQuality.ESTIMATED),
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
