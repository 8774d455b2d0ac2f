import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import { mostViolations } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { lostCitations } from "../kit/citations.ts";
import { isServerPart, toServerBlock } from "./server-blocks.ts";

/** Reports what Dragoman omits of citations, and of calls and results of tools that Bedrock runs. */
export function* contentAdaptations({ messages }: ChatRequest): Generator<Adaptation> {
  let leftOut = 0;
  for (const { part, path } of partsOf(messages)) {
    if (isServerPart(part) && toServerBlock(part) === undefined && ++leftOut <= mostViolations) {
      const message =
        "Bedrock accepts only calls and results of its tools that have their provider_state; it is not sent";
      yield { kind: "LEFT_OUT", field: path, message };
    }
  }
  yield* lostCitations(messages, "Bedrock");
}
