import { invalidRequest } from "../../errors.ts";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { adapt, type Draft, keepMessages } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * For a model that completes text and has no conversations: the last user message alone, as the prompt (seed 003: "fall
 * back to plain completion", without the history). Instructions, system messages and history are left out, which is a
 * warning, or an error when strict; media in the prompt and tools are rejected. Throws INVALID_REQUEST when there is no
 * user message.
 *
 * Before defaults, schemas and memory: what they add to a request is nothing that the caller loses here.
 */
export function completeText(draft: Draft, { completionOnly }: Pick<PlanningContext, "completionOnly">): Draft {
  if (!completionOnly) return draft;
  const { request } = draft;
  const last = request.messages.findLastIndex(({ role }) => role === Role.USER);
  const prompt = request.messages[last];
  if (prompt === undefined) {
    throw invalidRequest([
      { field: ["messages"], description: "needs a user message: the model completes the text of the last one" },
    ]);
  }
  const adaptations: Adaptation[] = mediaAdaptations(prompt, last);
  if (request.messages.length > 1) {
    adaptations.push({
      // The messages that are sent are chosen here, so nothing is left for the adaptation to set.
      kind: request.strictParameters ? "REJECTED" : "EMULATED",
      field: ["messages"],
      message: "the model completes text and has no conversations: only the last user message was sent",
    });
  }
  if (request.instructions) {
    const message = "the model completes text and takes no instructions";
    adaptations.push({ kind: "UNSUPPORTED_PARAMETER", field: ["instructions"], message });
  }
  if (request.tools.length > 0) {
    const message = "the model completes text and does not call tools";
    adaptations.push({ kind: "REJECTED", field: ["tools"], message });
  }
  const kept = keepMessages(draft, [last]);
  // Empty rather than absent: there is no default for them either.
  return adapt({ ...kept, request: { ...kept.request, instructions: "" } }, adaptations);
}

function mediaAdaptations({ parts }: Message, index: number): Adaptation[] {
  const message = "the model completes text and takes nothing else";
  return parts.flatMap(({ kind }, place): Adaptation[] =>
    kind.case === "text" ? [] : [{ kind: "REJECTED", field: ["messages", index, "parts", place], message }],
  );
}
