import type { Adaptation } from "../chat/planning/adaptations.ts";
import type { ContractNames } from "../chat/planning/provider-options.ts";
import type { EmbedRequest } from "../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { AttemptContext } from "../upstream/upstream-call.ts";

/** Bounds of one upstream request. Dragoman splits the inputs of a call into as many requests as they require. */
export interface BatchBounds {
  /** Maximum number of inputs. */
  readonly maxInputs: number;
  /** Maximum tokens of all inputs together. Undefined: the provider documents none. */
  readonly maxTokens?: number;
  /** Maximum values of all vectors together, so that a response stays small enough to parse at once. */
  readonly maxValues: number;
}

/** Response to one upstream request. */
export interface EmbeddedBatch {
  /** A vector for each input, in the order of the inputs. The caller of `embed` checks number, lengths and values. */
  readonly vectors: readonly Float32Array[];
  /** Undefined: the provider reports none. */
  readonly usage?: Usage | undefined;
}

/** Embeddings of a provider: translates requests to its wire format, and its responses to vectors. */
export interface EmbeddingApi {
  /** Fields of the upstream body that EmbedRequest has fields for. Undefined: the provider has no provider options. */
  readonly contractNames?: ContractNames;

  /**
   * Fields of the upstream body that the adapter writes by itself, and without which the vectors are the same. If the
   * provider rejects one, Dragoman tries once more with `Adapter.without`. Default: none.
   */
  readonly ownFields?: readonly string[];

  bounds(model: Model): BatchBounds;

  /**
   * Reports what the model does not support in a request, with paths in EmbedRequest. Of the kinds, Dragoman knows
   * UNSUPPORTED_PARAMETER, ADJUSTED and REJECTED.
   */
  checkSupport(request: EmbedRequest, model: Model): readonly Adaptation[];

  /**
   * Sends one upstream request and yields its response, as one batch. The request is within the bounds, and without
   * fields that the model does not support. Throws only GatewayError.
   */
  embed(request: EmbedRequest, model: Model, context: AttemptContext): AsyncIterable<readonly EmbeddedBatch[]>;
}
