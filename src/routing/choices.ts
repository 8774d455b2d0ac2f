import type { Adaptation } from "../chat/planning/adaptations.ts";
import { seedOf, seedValue } from "../chat/planning/seed.ts";
import type { ChatEvent } from "../chat/stream/events.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type AttemptOptions, type RunningAttempt, startAttempt } from "./attempt.ts";
import { mergeChoices } from "./merge-choices.ts";
import type { Target } from "./target.ts";

/** Maximum number of upstream requests per call. Applies if Dragoman sends one request per choice. */
const maxRequests = 8;

/** Request in progress at one target (a model and its provider's adapter), and the events of its response. */
export interface TargetRun<Event = ChatEvent> {
  /** One attempt per upstream request. With one request per choice, in the order of the choices. */
  readonly attempts: readonly Attempt[];
  readonly events: AsyncIterable<readonly Event[]>;
  /** Output so far in characters, to estimate tokens. */
  readonly outputCharacters: number;
  /** Size of the output so far in bytes (chat/stream/delta-size.ts). */
  readonly outputSize: number;
  /** What an upstream request waits for in a queue (upstream/upstream-call.ts). Undefined: none waits. */
  readonly waitsFor: string | undefined;
  /**
   * Sets the usage of each attempt that has none and may have used tokens: to an estimate. For attempts that nobody
   * waits for any more.
   */
  noteUsage(): void;
}

/**
 * Sends a request to a target: as one upstream request, or as one request per choice if the target supports fewer
 * choices per request than requested.
 */
export function runOnTarget(target: Target, request: ChatRequest, options: AttemptOptions): TargetRun {
  const count = upstreamRequests(request, target);
  if (count === 1) {
    const only = startAttempt(target, request, options);
    return new AttemptsRun([only], only.events);
  }
  const signals = new AbortController();
  const running = Array.from({ length: count }, (_, index) =>
    startAttempt(target, requestOfChoice(request, index), {
      ...options,
      choiceIndex: index,
      signal: AbortSignal.any([options.signal, signals.signal]),
    }),
  );
  return new AttemptsRun(running, mergeChoices(running, signals));
}

// A class, because an object with getters takes several microseconds to create.
class AttemptsRun implements TargetRun {
  readonly attempts: readonly Attempt[];
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  readonly #running: readonly RunningAttempt[];

  constructor(running: readonly RunningAttempt[], events: AsyncIterable<readonly ChatEvent[]>) {
    this.attempts = running.map(({ attempt }) => attempt);
    this.events = events;
    this.#running = running;
  }

  get outputCharacters(): number {
    return this.#running.reduce((sum, { validator }) => sum + validator.outputCharacters, 0);
  }

  get outputSize(): number {
    return this.#running.reduce((sum, { validator }) => sum + validator.outputSize, 0);
  }

  get waitsFor(): string | undefined {
    return this.#running.find(({ queue }) => queue.waitsFor !== undefined)?.queue.waitsFor;
  }

  noteUsage(): void {
    for (const one of this.#running) one.noteUsage();
  }
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
