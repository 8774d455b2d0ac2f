import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { annotationViolations } from "../../../src/chat/validation/annotations.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { Modality } from "../../../src/gen/dragoman/v1/modality_pb.js";
import type { ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { functionTool } from "../../support/tools.ts";

type Init = MessageInitShape<typeof ChatRequestSchema>;

const part = { kind: { case: "text", value: "hi" } } as const;

it.each<[string, Init, string]>([
  ["an empty text", { model: "" }, "must not be empty; name a model, such as echo/echo"],
  ["an empty list", { messages: [] }, "must not be empty; write at least one message"],
  ["an empty key", { labels: { "": "x" } }, "has a key that must not be empty"],
  [
    "an enum without a value",
    { messages: [{ parts: [part] }] },
    "is required; set one of ROLE_SYSTEM, ROLE_DEVELOPER, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL",
  ],
  [
    "an undefined enum value",
    { reasoning: { format: 99 as ReasoningFormat } },
    "is not a ReasoningFormat; set one of REASONING_FORMAT_PARSED, REASONING_FORMAT_RAW, REASONING_FORMAT_HIDDEN",
  ],
  [
    "an enum value that is not allowed",
    { responseModalities: [Modality.VIDEO] },
    "must be one of MODALITY_TEXT, MODALITY_AUDIO, MODALITY_IMAGE",
  ],
  ["a oneof without a field", { toolChoice: {} }, "is required; set one of mode, tool_name, allowed_tools"],
  [
    "a name with other characters",
    { tools: [functionTool({ name: "get weather" })] },
    "must be 1 to 128 characters: letters, digits and _ . -",
  ],
  ["a number out of range", { parameters: { n: 0 } }, "must be from 1 to 128"],
])("names what to set instead of %s", async (_, init, description) => {
  const request = create(ChatRequestSchema, { model: "m", messages: [{ role: Role.USER, parts: [part] }], ...init });
  expect(await annotationViolations(ChatRequestSchema, request)).toMatchObject([{ description }]);
});
