import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { Message } from "../../gen/dragoman/v1/message_pb.js";

/** Reports the first part with a citation that the adapter does not send, such as one that another provider made. */
export function lostCitations(
  messages: readonly Message[],
  isSent: (citation: Citation) => boolean,
  title: string,
): readonly Adaptation[] {
  const lost = partsOf(messages).find(({ part }) => part.citations.some((citation) => !isSent(citation)));
  const message = `${title} accepts only its own citations back; others are not sent`;
  return lost === undefined ? [] : [{ kind: "LEFT_OUT", field: [...lost.path, "citations"], message }];
}
