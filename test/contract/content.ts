import type { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { AnswerCase, Init, NotApplicable } from "./dialect.ts";

/** Content of responses that only some provider APIs have. */
export const answerContents = [
  "calls and results of the provider's tools",
  "calls with fields of the provider",
  "citations",
  "a turn that the provider paused",
  "facts without a field",
  "content of an unknown kind",
] as const;

/** Content of requests that only some provider APIs have. */
export const requestContents = [
  "search results",
  "a citable document",
  "files by their id",
  "tools that the provider runs",
] as const;

/** A response, and the turn that the next request must have for it. */
export interface AnswerContent extends AnswerCase {
  readonly wire: string | Uint8Array;
  /** Messages of the warnings about the response. Default: none. */
  readonly warnings?: readonly RegExp[];
  /** The model's turn in the next request. Undefined: the response has no content to send back. */
  readonly turn?: unknown;
}

export interface RequestContent {
  readonly request: Init<typeof ChatRequestSchema>;
  /** Part of the upstream body. */
  readonly sent: Readonly<Record<string, unknown>>;
  /** Headers of the upstream request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The cases of one provider API. */
export interface Content {
  /** Model of the catalog, if the model of the other cases does not have the content. */
  readonly model?: string;
  readonly answers: Readonly<Record<(typeof answerContents)[number], AnswerContent | NotApplicable>>;
  readonly requests: Readonly<Record<(typeof requestContents)[number], RequestContent | NotApplicable>>;
}
