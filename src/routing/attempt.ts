import { append } from "../append.ts";
import { createBounds } from "../chat/stream/bound-events.ts";
import { createStopCutter } from "../chat/stream/cut-at-stops.ts";
import type { ChatEvent } from "../chat/stream/events.ts";
import { createRepairs } from "../chat/stream/repair-events.ts";
import { createStreamValidator, type StreamValidator } from "../chat/stream/stream-validator.ts";
import type { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { AdapterContext, ProviderKey, QueueState } from "../providers/adapter.ts";
import { attemptFailure } from "./attempt-failure.ts";
import { type AttemptOrigin, AttemptRecord } from "./attempt-record.ts";
import { createEndSettler, filteredEnd } from "./settle-end.ts";
import type { Target } from "./target.ts";

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
  /** Called with the failure of the upstream request, also after its output has begun. */
  readonly onFailure?: (failure: GatewayError) => void;
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
  const queue: QueueState = { waitsFor: undefined };
  return { attempt, validator, queue, events: run() };

  async function* run(): AsyncGenerator<readonly ChatEvent[]> {
    record.begin();
    options.onBegin?.(attempt, queue);
    let held: ChatEvent[] | undefined = [];
    const repair = createRepairs();
    const bound = createBounds();
    const cutter = stops.length > 0 ? createStopCutter(stops, request.parameters?.n ?? 1) : undefined;
    // First the cut: its end of a choice releases what the repair holds back, and gets the warnings of the others.
    const corrected = (batch: readonly ChatEvent[]) => bound(repair(cutter === undefined ? batch : cutter.cut(batch)));
    try {
      const { sign: onOutput } = record;
      const context: AdapterContext = { signal, holder, attempt, queue, apiKey: key?.secret, prompt, idleMs, onOutput };
      const batches =
        whole && adapter.complete ? adapter.complete(request, model, context) : adapter.stream(request, model, context);
      const settleEnd = createEndSettler(request, validator);
      for await (const arrived of batches) {
        const sound = corrected(arrived);
        // One copy for all changes: a batch may have tens of thousands of events.
        let settled: ChatEvent[] | undefined;
        for (let index = 0; index < sound.length; index++) {
          const event = sound[index] as ChatEvent;
          if (event.case === "started" || event.case === "delta") {
            validator.accept(event);
            continue;
          }
          const end = settleEnd(event, sound);
          validator.accept(end);
          if (end !== event) {
            settled ??= [...sound];
            settled[index] = end;
          }
          if (end.case !== "completed") continue;
          if (validator.outputStarted) record.output();
          record.answered(end.value.usage);
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
        const rest = corrected(end);
        for (const event of rest) validator.accept(event);
        if (validator.outputStarted) record.output();
        record.answered(undefined);
        yield [...(held ?? []), ...rest];
        return;
      }
      const failure = attemptFailure(signal.aborted ? signal.reason : error, attempt, validator.outputStarted);
      options.onFailure?.(failure);
      record.failed(failure.reason);
      throw failure;
    } finally {
      record.end();
    }
  }
}
