import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { TokenCounter } from "../../tokens/token-count.ts";
import type { Adaptation } from "./adaptations.ts";
import type { Profile } from "./profile.ts";

/** What the steps of planning know besides the draft. */
export interface PlanningContext {
  readonly model: Model;
  readonly profile: Profile;
  /** Whether the model completes text and has no conversations. */
  readonly completionOnly: boolean;
  /** The account of the call; empty: none. */
  readonly account: string;
  readonly counter: TokenCounter;
  /** What the model's provider cannot do of a request. */
  readonly checkSupport: (request: ChatRequest) => readonly Adaptation[];
  /** The raw prompt of a request, for providers that are sent one. */
  readonly renderPrompt: (request: ChatRequest) => Promise<string | undefined>;
}
