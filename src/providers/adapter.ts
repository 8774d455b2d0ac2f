import type { Adaptation } from "../chat/planning/adaptations.ts";
import type { ChatEvent } from "../chat/stream/events.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { GenerationParameters } from "../gen/dragoman/v1/parameters_pb.js";
import type { AttemptContext } from "../upstream/upstream-call.ts";

/** What an adapter gets beside the request. */
export interface AdapterContext extends AttemptContext {
  /** What `prompt` gave for this request. Undefined: the adapter makes it itself. */
  readonly prompt?: string | undefined;
}

/**
 * One provider's dialect: translates a request to the provider's wire format and its answer back to events.
 *
 * The request has been validated, the model resolved, and everything named by `checkSupport` taken out of the request.
 */
export interface Adapter {
  /** The provider's name: the `provider` of `provider/model`, and the key of its options. */
  readonly name: string;

  /** The most choices that one call gives. For more, there is a call for each. Undefined: as many as asked for. */
  readonly maxChoices?: number;

  /**
   * Asks the provider and yields its answer, one batch of events for each read from the upstream. `started` comes only
   * after the provider accepted the request; `completed` comes last. Failures are thrown, always as GatewayError.
   * Nothing is read ahead: while the consumer does not pull, the upstream is not read.
   */
  stream(request: ChatRequest, model: Model, context: AdapterContext): AsyncIterable<readonly ChatEvent[]>;

  /**
   * The same answer for a caller who takes it only as a whole, asked for as a whole, where that costs the provider or us
   * less than a stream. Without it, `stream` serves these callers too.
   */
  complete?(request: ChatRequest, model: Model, context: AdapterContext): AsyncIterable<readonly ChatEvent[]>;

  /**
   * The raw prompt that the provider is sent, or renders itself from a chat template that is given here; undefined where
   * messages go out as they are. Throws INVALID_REQUEST for a template that cannot be rendered, and the signal's reason.
   */
  prompt?(request: ChatRequest, model: Model, signal: AbortSignal): Promise<string | undefined>;

  /** What this model, in this dialect, cannot do of what the request asks. */
  checkSupport(request: ChatRequest, model: Model): readonly Adaptation[];

  /**
   * The parameters as they are sent, where the dialect demands one that the caller left open. Without it, those of the
   * request are.
   */
  effectiveParameters?(request: ChatRequest, model: Model): GenerationParameters;

  /**
   * The body that `stream` would send, without secrets: what `stringifyExact` makes its JSON of. Undefined for providers
   * inside the service. `prompt` is what the method of that name gave.
   */
  describe(request: ChatRequest, model: Model, prompt?: string): unknown;

  /** Frees what the adapter holds: connections, model weights. */
  close?(): Promise<void>;
}
