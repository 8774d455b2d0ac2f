import { create } from "@bufbuild/protobuf";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { functionTool } from "../support/tools.ts";

/** Creates a message of one text. */
export function says(role: Role, text: string, name = ""): Message {
  return create(MessageSchema, { role, name, parts: [{ kind: { case: "text", value: text } }] });
}

/** Conversation with a tool call and its result. */
export const chatWithTools: ChatRequest = create(ChatRequestSchema, {
  model: "any",
  messages: [
    says(Role.SYSTEM, "You help customers of a railway. Look up times instead of guessing them."),
    says(Role.USER, "When is the next train from Malmö to Lund, and how late is it?"),
    {
      role: Role.ASSISTANT,
      parts: [
        {
          kind: {
            case: "toolCall",
            value: { id: "call_7f3a", name: "departures", argumentsJson: '{"from":"Malmö C","to":"Lund C","limit":1}' },
          },
        },
      ],
    },
    {
      role: Role.TOOL,
      parts: [
        {
          kind: {
            case: "toolResult",
            value: {
              toolCallId: "call_7f3a",
              parts: [
                {
                  kind: {
                    case: "text",
                    value: '[{"train":"1042","departs":"2026-05-04T17:38:00+02:00","delay_minutes":6,"track":"4b"}]',
                  },
                },
              ],
            },
          },
        },
      ],
    },
    says(Role.ASSISTANT, "Train 1042 leaves at 17:38 from track 4b. It is running six minutes late."),
    says(Role.USER, "And the one after it?"),
  ],
  tools: [
    functionTool({
      name: "departures",
      description: "Lists the next trains between two stations",
      parametersJsonSchema: JSON.stringify({
        type: "object",
        properties: {
          from: { type: "string", description: "The station of departure" },
          to: { type: "string", description: "The station of arrival" },
          limit: { type: "integer", minimum: 1, maximum: 20, description: "How many trains to list" },
        },
        required: ["from", "to"],
      }),
    }),
    functionTool({ name: "current_time", description: "The time now, in ISO 8601", parametersJsonSchema: "" }),
  ],
});
