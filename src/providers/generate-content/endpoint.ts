import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Route } from "./adaptations.ts";

/** Path prefix and authentication headers of a request. */
interface Authorization {
  readonly pathPrefix: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The Gemini API or Vertex AI: what it supports, and how to authenticate. */
export interface Endpoint extends Route {
  authorize(call: UpstreamCall): Promise<Authorization>;
  /** Whether embeddings have the methods of Vertex AI. */
  readonly predicts: boolean;
  /** Discards cached credentials after HTTP 401. */
  forget?(): void;
}
