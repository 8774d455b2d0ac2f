import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { type RunningAttempt, startAttempt } from "../../src/routing/attempt.ts";

/** Starts one streamed attempt, as the routing code does. */
export function streamFrom(
  adapter: Adapter,
  request: ChatRequest,
  model: Model,
  signal = new AbortController().signal,
): RunningAttempt {
  return startAttempt({ model, adapter }, request, { signal, holder: "account:a", whole: false });
}
