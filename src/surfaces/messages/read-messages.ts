import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FieldPath } from "../../field-path.ts";
import { type Message, type MessageSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { UserBlock } from "./blocks.ts";
import { type BodyMessage, type MessagesBody, readNames } from "./body.ts";
import { readAnswer } from "./read-answer.ts";
import { type ReadPart, readBlock, readTexts } from "./read-content.ts";
import type { Unread } from "./unread.ts";

type MessageInit = Exclude<MessageInitShape<typeof MessageSchema>, Message>;

/** A translated message, with the places of its content in the body. */
export interface ReadMessage {
  readonly message: MessageInit;
  readonly place: FieldPath;
  readonly parts: readonly ReadPart[];
}

/** Translates the system prompt and the messages. */
export function readMessages({ system, messages }: MessagesBody, unread: Unread): readonly ReadMessage[] {
  const first = system ? readTexts(system, ["system"], unread) : [];
  return [
    ...(first.length > 0 ? [toRead(Role.SYSTEM, ["system"], first)] : []),
    ...messages.flatMap((message, index) => readMessage(message, ["messages", index], unread)),
  ];
}

function readMessage(message: BodyMessage, place: FieldPath, unread: Unread): readonly ReadMessage[] {
  unread.add(message, place, readNames.message);
  const at = [...place, "content"];
  switch (message.role) {
    case "system":
      return [toRead(Role.SYSTEM, place, readTexts(message.content, at, unread))];
    case "assistant": {
      const { content } = message;
      const parts = typeof content === "string" ? readTexts(content, at, unread) : readAnswer(content, at, unread);
      return [toRead(Role.ASSISTANT, place, parts)];
    }
    case "user":
      return typeof message.content === "string"
        ? [toRead(Role.USER, place, readTexts(message.content, at, unread))]
        : readUser(message.content, place, at, unread);
    default:
      return message satisfies never;
  }
}

/** Translates a user message. Results of tools are messages of their own in the contract. */
function readUser(
  blocks: readonly UserBlock[],
  place: FieldPath,
  at: FieldPath,
  unread: Unread,
): readonly ReadMessage[] {
  if (blocks.length === 0) return [toRead(Role.USER, place, [])];
  const runs: { readonly role: Role; readonly parts: ReadPart[] }[] = [];
  for (const [index, block] of blocks.entries()) {
    const role = block.type === "tool_result" ? Role.TOOL : Role.USER;
    const parts = readBlock(block, [...at, index], unread);
    const last = runs.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else runs.push({ role, parts: [...parts] });
  }
  return runs.map(({ role, parts }) => toRead(role, place, parts));
}

function toRead(role: Role, place: FieldPath, parts: readonly ReadPart[]): ReadMessage {
  return { message: { role, parts: parts.map(({ part }) => part) }, place, parts };
}
