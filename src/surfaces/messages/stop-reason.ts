import { type Choice, FinishReason } from "../../gen/dragoman/v1/completion_pb.js";

type End = Pick<Choice, "finishReason" | "providerFinishReason" | "matchedStopSequence">;

/** Returns why the model stopped, in Anthropic's words. */
export function toStopReason({ finishReason, providerFinishReason: word, matchedStopSequence: stop }: End): string {
  switch (finishReason) {
    case FinishReason.LENGTH:
      return word === "model_context_window_exceeded" ? word : "max_tokens";
    case FinishReason.TOOL_CALLS:
      return "tool_use";
    case FinishReason.CONTENT_FILTER:
      return "refusal";
    case FinishReason.OTHER:
      return word === "pause_turn" || word === "compaction" ? word : "end_turn";
    case FinishReason.STOP:
    case FinishReason.UNSPECIFIED:
      return stop !== "" || word === "stop_sequence" ? "stop_sequence" : "end_turn";
    default:
      return finishReason satisfies never;
  }
}
