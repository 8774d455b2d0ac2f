import type { Reason } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { TraceContext } from "../trace-context.ts";

/**
 * What a call asks providers for, as `gen_ai.operation.name` of the semantic conventions, which have no name for the
 * count of a prompt's tokens.
 */
export type Operation = "chat" | "embeddings" | "count_tokens";

/** Facts about a call that are known when it begins. */
export interface ObservedCall {
  /** ChatCompletion.id or EmbedResponse.id. */
  readonly id: string;
  /** The caller's `x-request-id`, or the call's id. */
  readonly requestId: string;
  /** `CompleteChat`, `StreamChat`, `Embed`, `ListModels`, or the name of an HTTP API. */
  readonly method: string;
  /** Whether the call can cost something: its method asks providers, and access control has let the call in. */
  readonly mayCost: boolean;
  /** What the call asks providers for. Default: chat. */
  readonly operation?: Operation | undefined;
  /** `grpc`, `grpc-web`, `connect` or `http`. */
  readonly protocol: string;
  /** IP address of the connection's other end, which may be a proxy. Empty if the connection closed early. */
  readonly peerAddress: string;
  readonly startTime: Date;
  /** Span of the call, or the caller's span if calls are not traced. Undefined: there is none. */
  readonly trace?: TraceContext | undefined;
}

/** Facts about a call that are known when it may ask a provider. */
export interface StartedCall extends ObservedCall {
  /** Id of the caller's key; empty without authentication. */
  readonly keyId: string;
  readonly accountId: string;
  /** ChatRequest.user. */
  readonly user: string;
  /** ChatRequest.labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Id of the route that the caller requested. Empty: the caller requested a model. */
  readonly route: string;
  /** Model.id, or the requested name until a target is chosen. */
  readonly model: string;
  readonly provider: string;
  /** Whether the response is a stream. Undefined: the request was not read, and its method has both. */
  readonly stream?: boolean | undefined;
  /** Name of the profile that applied, as in the configuration. Empty until it is selected. */
  readonly profile: string;
}

/** How a call ended. `refused`: it failed before a provider was asked. */
export type Outcome = "ok" | "failed" | "cancelled" | "deadline_exceeded" | "refused";

/** Record of one call, created once, when the call settles. */
export interface CallRecord extends StartedCall {
  readonly outcome: Outcome;
  /** Reason of the error. Undefined if the outcome is `ok`. */
  readonly reason: Reason | undefined;
  /**
   * Tokens as Usage defines them, and the cost of all attempts. Undefined if no provider accepted a request. A call that
   * was cancelled or reached its deadline during an upstream request also has usage: the provider may bill it.
   */
  readonly usage: Usage | undefined;
  /** CallRecord.notes: why cost or limits are not as they should be. */
  readonly notes: readonly string[];
  /** One for each upstream request. */
  readonly attempts: readonly Attempt[];
  readonly durationMs: number;
  /** Milliseconds from the beginning of the call. Undefined if there was no output. */
  readonly firstOutputMs: number | undefined;
  /**
   * Milliseconds in which at least one upstream request was in progress: from its start, with its wait for a connection,
   * to its end. Undefined: there was none. The rest of `durationMs` is Dragoman's overhead.
   */
  readonly upstreamMs?: number | undefined;
}
