import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, type Part, PartSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { type Warning, WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import type { Adaptation } from "./adaptations.ts";
import { keepLast } from "./memory.ts";
import type { Profile } from "./profile.ts";

/**
 * The request with its messages as they will go out: instructions placed, memory applied, foreign state left out, and
 * system messages joined where the profile says so.
 */
export function prepareMessages(chat: ChatRequest, model: Model, { joinsSystemMessages }: Joining): ChatRequest {
  const kept =
    chat.memoryStrategy?.strategy.case === "lastK"
      ? keepLast(chat.messages, chat.memoryStrategy.strategy.value.k)
      : chat.messages;
  const own = kept.map((message) => withoutForeignState(message, model));
  const placed = chat.instructions ? [systemMessage(chat.instructions), ...own] : own;
  const messages = joinsSystemMessages ? joinSystem(placed) : placed;
  return { ...chat, messages: takesSystemMessages(model) ? messages : foldSystem(messages) };
}

type Joining = Pick<Profile, "joinsSystemMessages">;

/** Where there are several system messages, one with a blank line between their texts, in the place of the first. */
function joinSystem(messages: readonly Message[]): Message[] {
  const [first, ...later] = messages.filter(isSystem);
  if (first === undefined || later.length === 0) return [...messages];
  const parts = later.reduce((joined, message) => joinParts(joined, message.parts), first.parts);
  return messages.flatMap((message) => {
    if (message === first) return { ...first, parts };
    return isSystem(message) ? [] : message;
  });
}

/** Into one text where two meet, unless the prompt is to be cached between them. */
function joinParts(before: readonly Part[], [next, ...rest]: readonly Part[]): Part[] {
  const last = before.at(-1);
  if (next?.kind.case !== "text") return [...before, ...(next ? [next] : []), ...rest];
  const blankLine = "\n\n";
  if (last?.kind.case !== "text" || last.cacheHint !== undefined) {
    return [...before, { ...next, kind: { case: "text", value: blankLine + next.kind.value } }, ...rest];
  }
  const value = last.kind.value + blankLine + next.kind.value;
  return [...before.slice(0, -1), { ...next, kind: { case: "text", value } }, ...rest];
}

/** A system message of one text. */
export function systemMessage(text: string): Message {
  return create(MessageSchema, { role: Role.SYSTEM, parts: [textPart(text)] });
}

function textPart(text: string): Part {
  return create(PartSchema, { kind: { case: "text", value: text } });
}

/** Unknown capabilities limit nothing. */
function takesSystemMessages({ capabilities }: Model): boolean {
  return capabilities?.systemMessages !== false;
}

/** Puts the system text before the first user turn's, for models without a system role. */
function foldSystem(messages: Message[]): Message[] {
  const system = messages.filter(isSystem).flatMap(({ parts }) => parts);
  if (system.length === 0) return messages;
  const others = messages.filter((message) => !isSystem(message));
  const first = others.findIndex(({ role }) => role === Role.USER);
  const user = others[first];
  if (user === undefined) return [create(MessageSchema, { role: Role.USER, parts: system }), ...others];
  return others.with(first, { ...user, parts: [...system.map(endParagraph), ...user.parts] });
}

/** Providers join text parts without anything between them. */
function endParagraph(part: Part): Part {
  return part.kind.case === "text" ? { ...part, kind: { case: "text", value: `${part.kind.value}\n\n` } } : part;
}

/** State is valid only for the provider and model that made it. */
function withoutForeignState(message: Message, model: Model): Message {
  const isForeign = ({ providerState }: Message["parts"][number]) =>
    providerState !== undefined &&
    (providerState.provider !== model.provider ||
      (providerState.model !== "" && providerState.model !== model.providerModel));
  if (!message.parts.some(isForeign)) return message;
  const parts = message.parts.map((part) => {
    if (!isForeign(part)) return part;
    const { providerState, ...rest } = part;
    return rest;
  });
  return { ...message, parts };
}

/** What the model cannot do of the messages, and is done here instead. */
export function* messageAdaptations(
  chat: ChatRequest,
  model: Model,
  { name, joinsSystemMessages }: Joining & Pick<Profile, "name">,
): Generator<Adaptation> {
  const hasSystem = chat.instructions || chat.messages.some(isSystem);
  if (hasSystem && !takesSystemMessages(model)) {
    const message = `${model.id} takes no system messages: their text is put before the first user turn's`;
    yield { kind: "EMULATED", field: "messages", message };
  }
  const [, second] = joinsSystemMessages ? chat.messages.filter(isSystem) : [];
  if (second === undefined) return;
  const message = `the profile ${name} has one system message: the later ones are joined to the first`;
  yield { kind: "EMULATED", field: `messages[${chat.messages.indexOf(second)}]`, message };
}

/** What is likely a slip of the caller, though the call can go on. */
export function adviceFor(chat: ChatRequest): readonly Warning[] {
  if (chat.outputFormat?.format.case !== "jsonObject") return [];
  const mentions = chat.messages.some(({ parts }) =>
    parts.some(({ kind }) => kind.case === "text" && /json/i.test(kind.value)),
  );
  if (mentions) return [];
  const message = "no message says that JSON is wanted: models may write blanks without end, and OpenAI refuses it";
  return [create(WarningSchema, { reason: "ADVICE", field: "output_format.json_object", message })];
}
