import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";

/**
 * Makes the second request of a conversation: the first user message, the model's message unchanged, and the results of
 * its tool calls (by tool name), or another user message if there were none. The default result is "done".
 */
export function replayRequest(
  model: string,
  completion: ChatCompletion,
  results: Readonly<Record<string, string>>,
): ChatRequest {
  const [choice] = completion.choices;
  if (choice?.message === undefined) throw new Error("the completion has no message to continue");
  const toolResults = choice.message.parts.flatMap(({ kind }) =>
    kind.case === "toolCall"
      ? [
          {
            kind: {
              case: "toolResult" as const,
              value: {
                toolCallId: kind.value.id,
                parts: [{ kind: { case: "text" as const, value: results[kind.value.name] ?? "done" } }],
              },
            },
          },
        ]
      : [],
  );
  const first = ask(model, "hello");
  const next =
    toolResults.length > 0
      ? create(MessageSchema, { role: Role.TOOL, parts: toolResults })
      : create(MessageSchema, { role: Role.USER, parts: [{ kind: { case: "text", value: "go on" } }] });
  return { ...first, messages: [...first.messages, choice.message, next] };
}
