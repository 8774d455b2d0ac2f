import { invalidRequest } from "../../errors.ts";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { adapt, type Draft, keepMessages } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Reduces a request for a text completion model to its last user message, as the prompt. The Scale EGP deployments API
 * does the same: "fall back to plain completion", without the history.
 *
 * Drops instructions and all other messages with a warning, or an error if `strict_parameters` is set. Rejects tools,
 * and media in the prompt. Throws INVALID_REQUEST if there is no user message.
 *
 * Runs before the steps that add instructions or messages, so that it warns only about those of the caller.
 */
export function completeText(draft: Draft, { completionOnly }: Pick<PlanningContext, "completionOnly">): Draft {
  if (!completionOnly) return draft;
  const { request } = draft;
  const last = request.messages.findLastIndex(({ role }) => role === Role.USER);
  const prompt = request.messages[last];
  if (prompt === undefined) {
    throw invalidRequest([
      { field: ["messages"], description: "must contain a user message: it becomes the prompt of this model" },
    ]);
  }
  const adaptations: Adaptation[] = mediaAdaptations(prompt, last);
  if (request.messages.length > 1) {
    adaptations.push({
      // EMULATED: this function itself drops the messages below, so the adaptation changes no field.
      kind: request.strictParameters ? "REJECTED" : "EMULATED",
      field: ["messages"],
      message: "the model completes text and does not support conversations; only the last user message is sent",
    });
  }
  if (request.instructions) {
    const message = "the model completes text and does not support instructions";
    adaptations.push({ kind: "UNSUPPORTED_PARAMETER", field: ["instructions"], message });
  }
  if (request.tools.length > 0) {
    const message = "the model completes text and does not support tools";
    adaptations.push({ kind: "REJECTED", field: ["tools"], message });
  }
  const kept = keepMessages(draft, [last]);
  // Empty rather than absent, so that the profile's default instructions are not added.
  return adapt({ ...kept, request: { ...kept.request, instructions: "" } }, adaptations);
}

function mediaAdaptations({ parts }: Message, index: number): Adaptation[] {
  const message = "the model completes text and supports only text in the prompt";
  return parts.flatMap(({ kind }, place): Adaptation[] =>
    kind.case === "text" ? [] : [{ kind: "REJECTED", field: ["messages", index, "parts", place], message }],
  );
}
