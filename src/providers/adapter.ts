import type { Adaptation } from "../chat/planning/adaptations.ts";
import type { CallIdRule } from "../chat/planning/call-id-rule.ts";
import type { OwnField } from "../chat/planning/learned.ts";
import type { OptionalContent } from "../chat/planning/optional-content.ts";
import type { ContractNames } from "../chat/planning/provider-options.ts";
import type { RejectedText } from "../chat/planning/rejected-text.ts";
import type { SchemaTarget } from "../chat/planning/schema/schema-rules.ts";
import type { StopRule } from "../chat/planning/stop-rule.ts";
import type { ToolNameRule } from "../chat/planning/tool-name-rule.ts";
import type { ChatEvent } from "../chat/stream/events.ts";
import type { ProviderKey } from "../config/provider.ts";
import type { Claimant } from "../fair-slots.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { GenerationParameters } from "../gen/dragoman/v1/parameters_pb.js";
import type { Tool } from "../gen/dragoman/v1/tool_pb.js";
import type { ServedModel } from "../models/served-model.ts";
import type { AttemptContext } from "../upstream/upstream-call.ts";
import type { EmbeddingApi } from "./embedding-api.ts";

export type { ProviderKey } from "../config/provider.ts";
export type { QueueState } from "../upstream/upstream-call.ts";

/** Context of one attempt, passed to an adapter with the request. */
export interface AdapterContext extends AttemptContext {
  /** Result of `Adapter.prompt` for this request. Undefined: the adapter sends messages or renders the prompt. */
  readonly prompt?: string | undefined;
}

/**
 * Translates requests to one provider's wire format, and its responses to events. Every provider has chat; `embeddings`
 * is apart.
 *
 * Before Dragoman calls `stream` or `complete`, it has validated the request, resolved the model and applied the
 * adaptations: the changes to the request that `checkSupport` returns.
 */
export interface Adapter {
  /** Name of the provider: `provider` in `provider/model`, and the key in the request's `provider_options`. */
  readonly name: string;

  /** Name of the provider whose API it has, for a provider that the configuration adds. Default: the name. */
  readonly dialect?: string;

  /**
   * Fields of the upstream body that ChatRequest has fields for; Dragoman rejects them as provider options. Undefined:
   * provider options do not become part of an upstream body.
   */
  readonly contractNames?: ContractNames;

  /** Base URL of the API. With the provider's name and the model, it is the target of a request. */
  readonly baseUrl?: string;

  /** API keys that an attempt can use (`AttemptContext.apiKey`). Undefined or empty: requests carry no API key. */
  readonly keys?: readonly ProviderKey[];

  /**
   * Returns the fields of the upstream body that the adapter writes by itself for a request, and those for which it
   * knows two names. If the provider rejects one, Dragoman tries once more without it. Fields that the API requires are
   * not among them. Undefined: none.
   */
  ownFields?(request: ChatRequest, model: Model): readonly OwnField[];

  /**
   * Returns the same adapter without some of its own fields, or with their other names. It shares all resources, so
   * that nobody closes it. Required with `ownFields`.
   */
  without?(names: ReadonlySet<string>): Adapter;

  /**
   * Returns the adapter of another API that serves a request, for a provider with several. It shares all resources, so
   * that nobody closes it. Undefined: this adapter serves the request.
   *
   * @param tools tools of the request, and those of other providers that could replace them
   */
  apiFor?(request: ChatRequest, model: Model, tools: readonly Tool[]): Adapter | undefined;

  /**
   * Fields that ChatRequest lacks and that the API documents, such as vLLM's `stop_token_ids`. Of the extra fields that
   * some API in the shape of OpenAI's documents, an HTTP API passes on only these. Undefined: none.
   */
  readonly extraFields?: ReadonlySet<string>;

  /**
   * Function names that the provider accepts. Dragoman replaces other names, and restores them in the response.
   * Undefined: the provider accepts every name of the contract.
   */
  readonly toolNames?: ToolNameRule;

  /**
   * Returns the tool call ids that a model accepts, which must also be unique in a conversation. Dragoman replaces the
   * others, in calls and results. Undefined: every id, also one that repeats in a later turn.
   */
  callIds?(model: Model): CallIdRule | undefined;

  /**
   * Whether the API requires an output limit. Dragoman then sends what the prompt and the model leave, unless the
   * context window is unknown. Default false.
   */
  readonly needsOutputLimit?: boolean;

  /**
   * Returns the stop sequences that a model's API accepts. Dragoman ends the response itself at the others. Undefined:
   * all of the contract.
   */
  stopRule?(model: Model): StopRule | undefined;

  /**
   * Returns the texts that the model's API rejects. Dragoman leaves them out, with the messages that have nothing else.
   * Undefined: none.
   */
  rejectedText?(model: Model): RejectedText | undefined;

  /**
   * Returns the JSON Schemas that a model's API accepts, for output and for tools. Dragoman rewrites the others, and
   * validates the response against the caller's schema. Undefined: every schema.
   */
  schemas?(model: Model): SchemaTarget | undefined;

  /** Whether the adapter sends `tool_choice.allowed_tools`. Default false: Dragoman sends only the allowed tools. */
  readonly takesAllowedTools?: boolean;

  /**
   * Optional content of messages that the adapter sends. Dragoman replaces, leaves out or rejects all other
   * (chat/planning/optional-content.ts), before `checkSupport`. A function: depends on the model. Undefined: none.
   */
  readonly accepts?: ReadonlySet<OptionalContent> | ((model: Model) => ReadonlySet<OptionalContent>);

  /**
   * Returns the vendor's name of a model whose `provider_model` is a name of the operator's, to find its prices.
   * Undefined: the operator has not stated it, or there are no such names.
   */
  vendorModel?(providerModel: string): string | undefined;

  /** Maximum choices per upstream request. For more, Dragoman sends one request per choice. Undefined: no limit. */
  readonly maxChoices?: number;

  /**
   * Sends the request and yields the response, one batch of events per read from the upstream: `started` once the
   * provider has accepted the request, `completed` last. Throws only GatewayError. Does not read ahead: Dragoman reads
   * upstream only when the consumer pulls.
   */
  stream(request: ChatRequest, model: Model, context: AdapterContext): AsyncIterable<readonly ChatEvent[]>;

  /**
   * Like `stream`, but requests the response as a single body, which costs the provider or Dragoman less than a stream.
   * Dragoman calls `complete` for callers that do not stream. Undefined: Dragoman calls `stream` for all callers.
   */
  complete?(request: ChatRequest, model: Model, context: AdapterContext): AsyncIterable<readonly ChatEvent[]>;

  /**
   * Returns the raw prompt that Dragoman sends, or that the provider renders from the request's chat template.
   * Undefined if the provider receives the messages. Throws INVALID_REQUEST if the template cannot be rendered, and the
   * signal's reason if it aborts.
   */
  prompt?(request: ChatRequest, model: Model, claimant: Claimant): Promise<string | undefined>;

  /** Reports what the model does not support in the request, and what Dragoman does instead. */
  checkSupport(request: ChatRequest, model: Model): readonly Adaptation[];

  /**
   * Reports what a stream delivers only as a whole, because the API cannot stream it. Dragoman calls it for callers
   * that stream. Undefined: the API streams everything.
   */
  checkStream?(request: ChatRequest): readonly Adaptation[];

  /**
   * Returns the parameters that the adapter sends, with its own values for those that the API requires and the caller
   * left unset. Undefined: the adapter sends the request's parameters unchanged.
   */
  effectiveParameters?(request: ChatRequest, model: Model): GenerationParameters;

  /**
   * Returns the body that `stream` would send, without secrets; `stringifyExact` turns it into JSON. Returns undefined
   * if the provider runs inside Dragoman. The parameter `prompt` is the result of the method `prompt`.
   */
  describe(request: ChatRequest, model: Model, prompt?: string): unknown;

  /**
   * Returns a function that asks the provider for the number of tokens of a prompt, which costs nothing. The request is
   * one that `stream` could send. Throws only GatewayError. Undefined: the provider does not count, or not for this model.
   */
  countTokens?(request: ChatRequest, model: Model): ((context: AttemptContext) => Promise<number>) | undefined;

  /**
   * Asks the server for the models that it serves. Throws only GatewayError. Undefined: the server has no list, or the
   * operator does not want it.
   */
  listModels?(context: AttemptContext): Promise<readonly ServedModel[]>;

  /** Embeddings of the provider. Undefined: it has none. */
  readonly embeddings?: EmbeddingApi;

  /** Releases the adapter's resources, such as connections and model weights. */
  close?(): Promise<void>;
}
