import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { PartKind } from "./stream-validator.ts";

/** What a choice contains. */
interface Content {
  /** Kinds of its parts. */
  readonly kinds: readonly PartKind[];
  /** Whether the output has as many tokens as the request allows. */
  readonly isFull: boolean;
}

interface Settled {
  readonly reason: FinishReason;
  /** Message of the warning INFERRED. Undefined: the provider's own finish reason tells the same. */
  readonly inferred?: string;
}

/**
 * Returns the finish reason that fits a choice. Servers report `stop` after tool calls and refusals, report tool calls
 * that their response does not have, or report nothing (UNSPECIFIED) although the response is whole.
 */
export function settleFinishReason(reported: FinishReason, { kinds, isFull }: Content): Settled {
  const { UNSPECIFIED, STOP, LENGTH, TOOL_CALLS, CONTENT_FILTER, OTHER } = FinishReason;
  const ended = kinds.includes("refusal") ? CONTENT_FILTER : kinds.includes("toolCall") ? TOOL_CALLS : STOP;
  switch (reported) {
    case UNSPECIFIED: {
      const inferred = "the provider reported no finish reason: Dragoman inferred it from the response";
      return { reason: isFull ? LENGTH : ended, inferred };
    }
    case STOP:
      return { reason: ended };
    case TOOL_CALLS: {
      if (kinds.includes("toolCall")) return { reason: TOOL_CALLS };
      const inferred =
        "the provider reported tool calls, but its response has none: Dragoman changed the finish reason";
      return { reason: kinds.length > 0 ? ended : OTHER, inferred };
    }
    default:
      return { reason: reported };
  }
}
