import { append } from "../append.ts";
import { createBounds } from "../chat/stream/bound-events.ts";
import { type ChatEvent, completed, started } from "../chat/stream/events.ts";
import { GatewayError } from "../errors.ts";
import type { ChatCompleted } from "../gen/dragoman/v1/stream_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import { addUsage } from "../tokens/add-usage.ts";
import type { RunningAttempt } from "./attempt.ts";
import { attemptFailure } from "./attempt-failure.ts";
import { mergeMetadata } from "./merge-metadata.ts";

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
export async function* mergeChoices(
  running: readonly RunningAttempt[],
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
    yield createBounds()([mergeEnds(branches)]);
  } finally {
    others.abort(new GatewayError("CANCELLED", "the response is no longer needed"));
    await Promise.allSettled(branches.map(({ batches }) => batches.return?.()));
  }
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

/**
 * Merges the `completed` events: sums usage, merges warnings and metadata, and takes all else from the first choice.
 */
function mergeEnds(branches: readonly Branch[]): ChatEvent {
  const usages = branches.flatMap(({ completed }) => completed?.usage ?? []);
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
