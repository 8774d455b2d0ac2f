import type { ChatEvent } from "../../chat/stream/events.ts";
import type { GatewayError } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import type { ProfileName } from "../../profiles/profiles.ts";
import type { ServerSentEvent } from "./server-sent-event.ts";

/** What an HTTP request brings beside its body. */
export interface SurfaceRequest {
  /** The parts of the path that the pattern names. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: { get(name: string): string | null };
  /** What names of models are looked up in. */
  readonly catalog: Catalog;
}

/** A request in this service's own terms, and how its answer goes back. */
export interface Translated {
  readonly chat: ChatRequest;
  readonly streamed: boolean;
  /** The answer as a whole, as the JSON value of the surface. */
  toResponse(completion: ChatCompletion): unknown;
  /** Makes the translator of one stream: an event becomes no, one or several server-sent events. */
  createStream(): (event: ChatEvent, id: string) => readonly ServerSentEvent[];
  /**
   * The path in the body of a field of this request, such as that of `messages.0.content` for `messages[0].parts`. Errors
   * (before `toError`) and warnings get their fields by it.
   */
  readonly nameField: (path: FieldPath) => FieldPath;
}

/** An error as a surface tells it. */
export interface SurfaceError {
  /** The HTTP status. */
  readonly status: number;
  /** Beside those of `httpHeadersOf`, which every surface sends. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Translates an error. The request id is empty if the request has no call. */
export type ToError = (error: GatewayError, requestId: string) => SurfaceError;

/**
 * A chat API of somebody else's, served over the one pipeline: a translator between its JSON and the contract. All that
 * it decides is names, nulls, defaults of form and the shape of errors.
 */
export interface ChatSurface {
  /** The method in records: `egp-chat`, … */
  readonly name: string;
  /** Path with `{name}` for a part that varies. */
  readonly path: string;
  /** The rules that apply, whatever profile the model has. */
  readonly profile: ProfileName;
  /** Whether a stream ends with `data: [DONE]`. */
  readonly endsWithDone: boolean;
  /** Translates a body. Throws INVALID_REQUEST about fields of the body. */
  translate(body: unknown, request: SurfaceRequest): Translated;
  /** The error before an answer has begun. */
  readonly toError: ToError;
  /** The event that ends a stream which failed after it began. */
  readonly toStreamError: (error: GatewayError, requestId: string) => ServerSentEvent;
}
