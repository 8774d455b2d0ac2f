import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";

/**
 * The second turn of a conversation: the first question, the model's message unchanged, the results of its calls (by the
 * tool's name), or a further question when there were none.
 */
export function replayRequest(
  model: string,
  completion: ChatCompletion,
  results: Readonly<Record<string, string>>,
): ChatRequest {
  const [said] = completion.choices;
  if (said?.message === undefined) throw new Error("there is no answer to continue");
  const answers = said.message.parts.flatMap(({ kind }) =>
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
    answers.length > 0
      ? create(MessageSchema, { role: Role.TOOL, parts: answers })
      : create(MessageSchema, { role: Role.USER, parts: [{ kind: { case: "text", value: "go on" } }] });
  return { ...first, messages: [...first.messages, said.message, next] };
}
