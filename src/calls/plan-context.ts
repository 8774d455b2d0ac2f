import type { CallerWords } from "../chat/planning/caller-words.ts";
import type { ExtraFields } from "../chat/planning/extra-fields.ts";
import type { LearnedField } from "../chat/planning/learned.ts";
import type { FieldViolation } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { PriceList } from "../prices/price-list.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { Target } from "../routing/target.ts";
import type { CountingLimits } from "../tokens/counting-limits.ts";

/** Context of a request for planning. */
export interface PlanContext {
  /** Account of the call. Empty: none. */
  readonly account: string;
  /** The account, or the API key of a call without one. Queues are fair between holders. */
  readonly holder: string;
  /** Whether the caller requested a stream. */
  readonly streamed: boolean;
  /** Maximum number of values in each JSON text of the request. */
  readonly maxValues: number;
  /** Bounds of token counting. */
  readonly counting: CountingLimits;
  /** Profile (defaults and rules) of the HTTP API that received the request. Default: the API has none. */
  readonly apiProfile?: ProfileName | undefined;
  /** Profile of the route. Default: none. */
  readonly routeProfile?: ProfileName | undefined;
  /** Top-level `profile` of the configuration. Default: none. */
  readonly configuredProfile?: ProfileName | undefined;
  readonly signal: AbortSignal;
  /** Prices of models. Default: none, and no warning about unknown ones. */
  readonly prices?: PriceList | undefined;
  /** Returns the fields that a target rejected before although their callers had not set them. Default: none. */
  readonly learnedBy?: ((target: Target) => readonly LearnedField[]) | undefined;
  /** Whether the body for the provider requests a stream, if its adapter knows both forms. Default: `streamed`. */
  readonly sendsStream?: boolean | undefined;
  /** Returns the violations in the caller's provider options. Default: none. */
  readonly checkOptions?: ((chat: ChatRequest, model: Model) => readonly FieldViolation[]) | undefined;
  /** Words of the caller's API. Default: those of Dragoman's own API. */
  readonly words?: CallerWords | undefined;
  /** Fields of the caller's HTTP API that ChatRequest lacks. Default: none. */
  readonly extras?: ExtraFields | undefined;
}
