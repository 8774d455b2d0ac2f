import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import type { ChatEvent } from "../../chat/stream/events.ts";
import type { GatewayError } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import type { ProfileName } from "../../profiles/profiles.ts";
import type { ServerSentEvent } from "./server-sent-event.ts";

/** Input of a translation besides the body. */
export interface SurfaceRequest {
  /** Path parameters by their names in the pattern, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: { get(name: string): string | null };
  /** Catalog that resolves model names. */
  readonly catalog: Catalog;
  /** Whether to reject fields that ChatRequest lacks, which the provider would receive unchanged. Default false. */
  readonly rejectsOptions?: boolean;
}

/** A translated request, and the translators of its response. */
export interface Translated {
  readonly chat: ChatRequest;
  /** Fields of the body that ChatRequest lacks. Default: none. */
  readonly extras?: ExtraFields;
  readonly streamed: boolean;
  /** Translates a whole response into the API's JSON value. */
  toResponse(completion: ChatCompletion): unknown;
  /** Makes the translator of one stream. It returns zero or more server-sent events for each event. */
  createStream(): (event: ChatEvent, id: string) => readonly ServerSentEvent[];
  /**
   * Maps a field path of `chat` to the path in the body, such as `messages[0].parts` to `messages.0.content`. Dragoman
   * applies it to the fields of warnings, and to those of errors before `toError`.
   */
  readonly nameField: (path: FieldPath) => FieldPath;
  /**
   * Translates an error into the last events of the stream, in place of `ChatSurface.toStreamError`. For APIs whose
   * last event depends on those before it.
   */
  toLastEvents?(error: GatewayError, requestId: string): readonly ServerSentEvent[];
}

/** Error response of an HTTP API. */
export interface SurfaceError {
  /** HTTP status. */
  readonly status: number;
  /** Headers in addition to those of `httpHeadersOf`, which every API sends. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Translates an error into a response. `requestId` is empty if the request started no call. */
export type ToError = (error: GatewayError, requestId: string) => SurfaceError;

/**
 * A chat API of another vendor: translates its JSON to ChatRequest and back. It decides only names, null handling,
 * JSON defaults and the shape of errors; all other rules apply to every API.
 */
export interface ChatSurface {
  /** Method name in call records, such as `egp-chat`. */
  readonly name: string;
  /** Path pattern; `{name}` matches one segment. */
  readonly path: string;
  /** Profile of all requests to this HTTP API. Undefined: the API has none (profile.proto documents the order). */
  readonly profile: ProfileName | undefined;
  /** Name of the API's memory strategy, for the text of an error. Undefined: it has none. */
  readonly memoryStrategy?: string;
  /** Whether responses have no field for reasoning. Default false. */
  readonly omitsReasoning?: boolean;
  /** Whether responses have web pages that the text cites, and metadata of the provider. Default false. */
  readonly showsSources?: boolean;
  /** Whether responses have citations of documents and search results too. Default: only those that `showsSources` has. */
  readonly showsCitations?: boolean;
  /** Whether responses have audio and images. Default false. */
  readonly showsMedia?: boolean;
  /** Whether responses have a field for a delta that the properties above do not decide. Default: none has one. */
  readonly shows?: (delta: PartDelta["delta"]) => boolean;
  /** Whether a stream ends with `data: [DONE]`. */
  readonly endsWithDone: boolean;
  /** Event that a stream sends while the provider is silent. Default: a comment. */
  readonly ping?: ServerSentEvent;
  /** The API's own name of the header `x-request-id`, which responses also have. Default none. */
  readonly requestIdHeader?: string;
  /** Translates a body. Throws INVALID_REQUEST with the body's field paths. */
  translate(body: unknown, request: SurfaceRequest): Translated;
  /** Translates an error if the response has not started. */
  readonly toError: ToError;
  /** Translates an error into the last event of a stream that has started. */
  readonly toStreamError: (error: GatewayError, requestId: string) => ServerSentEvent;
}
