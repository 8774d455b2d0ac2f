import type { DescMessage } from "@bufbuild/protobuf";
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
import {
  type CompletedEvent,
  createEndSettler,
  type EndSettler,
  filteredEnd,
  type SettledEvent,
} from "./settle-end.ts";
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
export function startAttempt(target: Target, request: ChatRequest, options: AttemptOptions): RunningAttempt {
  return new StartedRequest(target, request, options);
}

/** A class, since the events come from a generator: a generator function made for each call costs several µs. */
class StartedRequest implements RunningAttempt {
  readonly attempt: Attempt;
  readonly validator = createStreamValidator();
  readonly queue: QueueState = { waitsFor: undefined };
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  readonly #target: Target;
  readonly #request: ChatRequest;
  readonly #options: AttemptOptions;
  readonly #key: ProviderKey | undefined;
  readonly #record: AttemptRecord;
  readonly #settleEnd: EndSettler;
  #failure: GatewayError | undefined;

  constructor(target: Target, request: ChatRequest, options: AttemptOptions) {
    this.#target = target;
    this.#request = request;
    this.#options = options;
    this.#key = options.key ?? target.adapter.keys?.[0];
    this.#record = new AttemptRecord(target.model, options, this.#key?.name);
    this.attempt = this.#record.attempt;
    this.#settleEnd = createEndSettler(request, this.validator);
    this.events = this.#run();
  }

  noteUsage(): void {
    const { attempt, validator, queue } = this;
    if (attempt.usage !== undefined || !mayHaveUsedTokens(attempt, validator.accepted, queue, this.#failure)) return;
    this.#record.used(partialUsage(this.#request, validator.outputCharacters), this.#request.serviceTier);
  }

  async *#run(): AsyncGenerator<readonly ChatEvent[]> {
    const { attempt, validator } = this;
    const [record, options] = [this.#record, this.#options];
    const { signal, stops = [] } = options;
    record.begin();
    options.onBegin?.(attempt, this.queue);
    let held: ChatEvent[] | undefined = [];
    const repair = createRepairs();
    const bound = createBounds();
    const cutter = stops.length > 0 ? createStopCutter(stops, this.#request.parameters?.n ?? 1) : undefined;
    // First the cut: its end of a choice releases what the repair holds back, and gets the warnings of the others.
    const corrected = (batch: readonly ChatEvent[]) => bound(repair(cutter === undefined ? batch : cutter.cut(batch)));
    try {
      for await (const arrived of this.#send()) {
        const sound = corrected(arrived);
        if (this.#missingRules(sound)) await this.#loadRules(sound);
        const batch = this.#accept(sound);
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
        await this.#loadRules(last);
        const rest = last.map((event) => {
          if (event.case === "completed") return this.#complete(event);
          validator.accept(event);
          return event;
        });
        yield [...(held ?? []), ...rest];
        return;
      }
      const failure = attemptFailure(signal.aborted ? signal.reason : error, attempt, validator.outputStarted);
      this.#failure = failure;
      options.onFailure?.(failure, attempt);
      record.failed(failure.reason);
      throw failure;
    } finally {
      record.end();
    }
  }

  /** Sends the request. Returns the batches of events of the response. */
  #send(): AsyncIterable<readonly ChatEvent[]> {
    const { attempt, queue } = this;
    const { adapter, model } = this.#target;
    const { signal, holder, whole, prompt, idleMs = 0, onTrace } = this.#options;
    const trace = onTrace?.(attempt, adapter.baseUrl);
    const apiKey = this.#key?.secret;
    const onOutput = this.#record.sign;
    const context: AdapterContext = { signal, holder, attempt, queue, trace, apiKey, prompt, idleMs, onOutput };
    return whole && adapter.complete
      ? adapter.complete(this.#request, model, context)
      : adapter.stream(this.#request, model, context);
  }

  /** Returns a message whose rules must be loaded to check a batch. Undefined: there is none. */
  #missingRules(batch: readonly ChatEvent[]): DescMessage | undefined {
    for (const event of batch) {
      const missing = this.validator.missingRules(event);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  async #loadRules(batch: readonly ChatEvent[]): Promise<void> {
    for (let missing = this.#missingRules(batch); missing; missing = this.#missingRules(batch)) {
      await loadRules(missing);
    }
  }

  /** Checks a batch of events. Returns it with its ends settled: as one copy, since it may have thousands of events. */
  #accept(sound: readonly ChatEvent[]): readonly ChatEvent[] {
    let settled: ChatEvent[] | undefined;
    for (let index = 0; index < sound.length; index++) {
      const event = sound[index] as ChatEvent;
      if (event.case === "started" || event.case === "delta") {
        this.validator.accept(event);
        continue;
      }
      const end = event.case === "finished" ? this.#finish(event, sound) : this.#complete(event);
      if (end === event) continue;
      settled ??= [...sound];
      settled[index] = end;
    }
    return settled ?? sound;
  }

  /** Takes the last event of the response. Returns it with the usage. */
  #complete(event: CompletedEvent): SettledEvent {
    const settled = this.#settleEnd.completed(event);
    this.validator.accept(settled);
    if (this.validator.outputStarted) this.#record.output();
    const { usage, serviceTier } = settled.value;
    this.#record.answered(usage, serviceTier, this.#request.serviceTier);
    return settled;
  }

  /** Takes the end of a choice. */
  #finish(event: FinishedEvent, batch: readonly ChatEvent[]): FinishedEvent {
    const settled = this.#settleEnd.finished(event, batch);
    this.validator.accept(settled);
    return settled;
  }
}
