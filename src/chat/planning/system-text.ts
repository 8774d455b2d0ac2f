import { create } from "@bufbuild/protobuf";
import { MessageSchema, PartSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import type { Adaptation } from "./adaptations.ts";
import {
  type Draft,
  type DraftMessage,
  type DraftPart,
  draftMessages,
  draftParts,
  withMessages,
  withParts,
} from "./draft.ts";
import { mergedMessages, sentMessages } from "./origins.ts";
import type { PlanningContext } from "./planning-context.ts";

type Context = Pick<PlanningContext, "model" | "profile">;

/**
 * Puts the instructions first, joins system messages where the profile says so, and puts their text into a user turn for
 * models without system messages.
 *
 * After memory, which must not count these messages, and before the window, which counts what goes out.
 */
export function placeSystemText(draft: Draft, { model, profile }: Context): Draft {
  const { instructions } = draft.request;
  const own = draftMessages(draft);
  const placed = instructions ? [systemMessage(instructions), ...own] : own;
  const joined = profile.joinsSystemMessages ? joinSystem(placed) : placed;
  return withMessages(draft, takesSystemMessages(model) ? joined : foldSystem(joined));
}

/** A system message of one text of Dragoman's. */
export function systemMessage(text: string): DraftMessage {
  const parts = [create(PartSchema, { kind: { case: "text", value: text } })];
  const message = create(MessageSchema, { role: Role.SYSTEM, parts });
  return { message, origin: { message: undefined, parts: [[]] } };
}

/** Where there are several system messages, one with a blank line between their texts, in the place of the first. */
function joinSystem(messages: readonly DraftMessage[]): readonly DraftMessage[] {
  const [first, ...later] = messages.filter(({ message }) => isSystem(message));
  if (first === undefined || later.length === 0) return messages;
  const parts = later.reduce((joined, entry) => joinParts(joined, draftParts(entry)), draftParts(first));
  return messages.flatMap((entry) => {
    if (entry === first) return withParts(first, parts);
    return isSystem(entry.message) ? [] : entry;
  });
}

/** Into one text where two meet, unless the prompt is to be cached between them. */
function joinParts(before: readonly DraftPart[], [next, ...rest]: readonly DraftPart[]): readonly DraftPart[] {
  const last = before.at(-1);
  const { kind } = next?.part ?? {};
  if (next === undefined || kind?.case !== "text") return [...before, ...(next ? [next] : []), ...rest];
  const blankLine = "\n\n";
  if (last?.part.kind.case !== "text" || last.part.cacheHint !== undefined) {
    return [...before, withText(next, blankLine + kind.value), ...rest];
  }
  const joined = withText(next, last.part.kind.value + blankLine + kind.value);
  return [...before.slice(0, -1), { ...joined, origin: [...last.origin, ...next.origin] }, ...rest];
}

function withText({ part, origin }: DraftPart, value: string): DraftPart {
  return { part: { ...part, kind: { case: "text", value } }, origin };
}

/** Unknown capabilities limit nothing. */
function takesSystemMessages({ capabilities }: Model): boolean {
  return capabilities?.systemMessages !== false;
}

/** Puts the system text before the first user turn's, for models without a system role. */
function foldSystem(messages: readonly DraftMessage[]): readonly DraftMessage[] {
  const system = messages.filter(({ message }) => isSystem(message)).flatMap(draftParts);
  if (system.length === 0) return messages;
  const others = messages.filter(({ message }) => !isSystem(message));
  const first = others.findIndex(({ message }) => message.role === Role.USER);
  const user = others[first];
  if (user !== undefined) {
    return others.with(first, withParts(user, [...system.map(endParagraph), ...draftParts(user)]));
  }
  const empty = { message: create(MessageSchema, { role: Role.USER }), origin: { message: undefined, parts: [] } };
  return [withParts(empty, system), ...others];
}

/** Providers join text parts without anything between them. */
function endParagraph(entry: DraftPart): DraftPart {
  const { kind } = entry.part;
  return kind.case === "text" ? withText(entry, `${kind.value}\n\n`) : entry;
}

/** What became of the system messages of a draft that has passed `placeSystemText`. */
export function* systemAdaptations({ asked, request, origins }: Draft, context: Context): Generator<Adaptation> {
  const { model, profile } = context;
  const system = sentMessages(origins).filter((index) => asked.messages.slice(index, index + 1).some(isSystem));
  if ((request.instructions || system.length > 0) && !takesSystemMessages(model)) {
    const message = `${model.id} takes no system messages: their text is put before the first user turn's`;
    yield { kind: "EMULATED", field: ["messages"], message };
  }
  const [, second] = profile.joinsSystemMessages ? system : [];
  if (second !== undefined) {
    const message = `the profile ${profile.name} has one system message: the later ones are joined to the first`;
    yield { kind: "EMULATED", field: ["messages", second], message };
  }
  for (const index of mergedMessages(origins)) {
    if (!asked.messages[index]?.name) continue;
    const message = "the text of this message goes into another message: its name is left out";
    yield { kind: "EMULATED", field: ["messages", index, "name"], message };
  }
}
