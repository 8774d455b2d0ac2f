import { append } from "../append.ts";
import { createBounds } from "../chat/stream/bound-events.ts";
import { createStopCutter } from "../chat/stream/cut-at-stops.ts";
import type { ChatEvent, FinishedEvent } from "../chat/stream/events.ts";
import { createRepairs } from "../chat/stream/repair-events.ts";
import { createStreamValidator, type StreamValidator } from "../chat/stream/stream-validator.ts";
import { loadRules } from "../chat/validation/annotations.ts";
import type { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { AdapterContext, ProviderKey, QueueState } from "../providers/adapter.ts";
import { partialUsage } from "../tokens/usage-estimate.ts";
import type { TraceContext } from "../trace-context.ts";
import { attemptFailure } from "./attempt-failure.ts";
import { type AttemptOrigin, AttemptRecord } from "./attempt-record.ts";
import { type CompletedEvent, createEndSettler, filteredEnd, type SettledEvent } from "./settle-end.ts";
import type { Target } from "./target.ts";
import { mayHaveUsedTokens } from "./used-tokens.ts";

/** Options for the attempts of a call. */
export interface AttemptOptions extends AttemptOrigin {
  /** Account of the call, or its API key if it has no account. Queues are fair between holders. */
  readonly holder: string;
  /** The caller wants a single response, so the adapter may request one instead of a stream. */
  readonly whole: boolean;
  /** Stop sequences at which Dragoman ends the response itself. Default: none. */
  readonly stops?: readonly string[];
  /** Called when the upstream request starts. */
  readonly onBegin?: (attempt: Attempt, queue: QueueState) => void;
  /** Called when the upstream request starts. Returns the trace context that its provider may get. */
  readonly onTrace?: (attempt: Attempt, baseUrl: string | undefined) => TraceContext | undefined;
  /** Called with the failure of the upstream request, also after its output has begun. */
  readonly onFailure?: (failure: GatewayError, attempt: Attempt) => void;
  /** Maximum time in ms between two outputs. Default: that of the provider's configuration. */
  readonly idleMs?: number;
  /** API key of the provider to use. Undefined: its first key, if it has one. */
  readonly key?: ProviderKey | undefined;
  /** Raw prompt from `Adapter.prompt`. Undefined: no chat template was rendered. */
  readonly prompt?: string | undefined;
}

/** One upstream request in progress. */
export interface RunningAttempt {
  readonly attempt: Attempt;
  readonly validator: StreamValidator;
  readonly queue: Readonly<QueueState>;
  /** Sets the usage of an attempt that nobody waits for any more, if it may have used tokens: to an estimate. */
  noteUsage(): void;
  /**
   * Batches of events, in the order that `StreamChat` in chat_service.proto defines. The event `started` is held back
   * until the first delta or `finished`. An attempt that fails earlier has sent nothing to the client.
   */
  readonly events: AsyncIterable<readonly ChatEvent[]>;
}

/** Makes one upstream request. Every failure is a GatewayError; provider errors state whether output had started. */
export function startAttempt(
  { adapter, model }: Target,
  request: ChatRequest,
  options: AttemptOptions,
): RunningAttempt {
  const { signal, holder, whole, prompt, stops = [], key = adapter.keys?.[0], idleMs = 0 } = options;
  const record = new AttemptRecord(model, options, key?.name);
  const { attempt } = record;
  const validator = createStreamValidator();
  const settleEnd = createEndSettler(request, validator);
  const queue: QueueState = { waitsFor: undefined };
  let failure: GatewayError | undefined;
  return {
    attempt,
    validator,
    queue,
    noteUsage() {
      if (attempt.usage !== undefined || !mayHaveUsedTokens(attempt, validator.accepted, queue, failure)) return;
      record.used(partialUsage(request, validator.outputCharacters), request.serviceTier);
    },
    events: run(),
  };

  /** Takes the last event of the response. Returns it with the usage. */
  function complete(event: CompletedEvent): SettledEvent {
    const settled = settleEnd.completed(event);
    validator.accept(settled);
    if (validator.outputStarted) record.output();
    const { usage, serviceTier } = settled.value;
    record.answered(usage, serviceTier, request.serviceTier);
    return settled;
  }

  /** Takes the end of a choice. */
  function finish(event: FinishedEvent, batch: readonly ChatEvent[]): FinishedEvent {
    const settled = settleEnd.finished(event, batch);
    validator.accept(settled);
    return settled;
  }

  async function* run(): AsyncGenerator<readonly ChatEvent[]> {
    record.begin();
    options.onBegin?.(attempt, queue);
    const trace = options.onTrace?.(attempt, adapter.baseUrl);
    let held: ChatEvent[] | undefined = [];
    const repair = createRepairs();
    const bound = createBounds();
    const cutter = stops.length > 0 ? createStopCutter(stops, request.parameters?.n ?? 1) : undefined;
    // First the cut: its end of a choice releases what the repair holds back, and gets the warnings of the others.
    const corrected = (batch: readonly ChatEvent[]) => bound(repair(cutter === undefined ? batch : cutter.cut(batch)));
    try {
      const { sign: onOutput } = record;
      const context: AdapterContext = {
        ...{ signal, holder, attempt, queue, trace, apiKey: key?.secret, prompt, idleMs, onOutput },
      };
      const batches =
        whole && adapter.complete ? adapter.complete(request, model, context) : adapter.stream(request, model, context);
      for await (const arrived of batches) {
        const sound = corrected(arrived);
        // One copy for all changes: a batch may have tens of thousands of events.
        let settled: ChatEvent[] | undefined;
        for (let index = 0; index < sound.length; index++) {
          const event = sound[index] as ChatEvent;
          if (validator.needsRules(event)) await loadRules();
          if (event.case === "started" || event.case === "delta") {
            validator.accept(event);
            continue;
          }
          const end = event.case === "finished" ? finish(event, sound) : complete(event);
          if (end !== event) {
            settled ??= [...sound];
            settled[index] = end;
          }
        }
        const batch = settled ?? sound;
        if (validator.outputStarted) record.output();
        if (held === undefined) {
          if (batch.length > 0) yield batch;
        } else {
          append(held, batch);
          signal.throwIfAborted();
          if (held.every(({ case: kind }) => kind === "started")) continue;
          const first = held;
          held = undefined;
          yield first;
        }
        // Leaving the loop aborts the upstream request.
        if (cutter?.needsNoMore) break;
      }
      validator.end();
    } catch (error) {
      const end = signal.aborted ? undefined : filteredEnd(error, validator, cutter?.heldChoices ?? []);
      if (end !== undefined) {
        const last = corrected(end);
        if (last.some((event) => validator.needsRules(event))) await loadRules();
        const rest = last.map((event) => {
          if (event.case === "completed") return complete(event);
          validator.accept(event);
          return event;
        });
        yield [...(held ?? []), ...rest];
        return;
      }
      failure = attemptFailure(signal.aborted ? signal.reason : error, attempt, validator.outputStarted);
      options.onFailure?.(failure, attempt);
      record.failed(failure.reason);
      throw failure;
    } finally {
      record.end();
    }
  }
}
