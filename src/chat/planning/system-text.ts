import { create } from "@bufbuild/protobuf";
import { append } from "../../append.ts";
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

/**
 * Puts the instructions first, as a system message. Merges system messages if the profile requires it. For models that
 * do not support system messages, puts their text into a user message.
 *
 * Runs after `keepLastMessages`, which must not count the added system message, and before `fitWindow`, which counts
 * the outgoing messages.
 */
export function placeSystemText(draft: Draft, { model, profile }: Pick<PlanningContext, "model" | "profile">): Draft {
  const { instructions } = draft.request;
  if (!instructions && !profile.joinsSystemMessages && takesSystemMessages(model)) return draft;
  const messages = draftMessages(draft);
  const placed = instructions ? [systemMessage(instructions, ["instructions"]), ...messages] : messages;
  const joined = profile.joinsSystemMessages ? joinSystem(placed) : placed;
  return withMessages(draft, takesSystemMessages(model) ? joined : foldSystem(joined));
}

/** Creates a system message with one text. `origin`: the caller's fields that have the text. */
export function systemMessage(text: string, origin: DraftPart["origin"] = []): DraftMessage {
  const parts = [create(PartSchema, { kind: { case: "text", value: text } })];
  const message = create(MessageSchema, { role: Role.SYSTEM, parts });
  return { message, origin: { message: undefined, parts: [origin] } };
}

/** Merges all system messages into the first one, with a blank line between their texts. */
function joinSystem(messages: readonly DraftMessage[]): readonly DraftMessage[] {
  const [first, ...later] = messages.filter(({ message }) => isSystem(message));
  if (first === undefined || later.length === 0) return messages;
  const parts = draftParts(first).map(joinable);
  for (const entry of later) joinParts(parts, draftParts(entry));
  return messages.flatMap((entry) => {
    if (entry === first) return withParts(first, parts);
    return isSystem(entry.message) ? [] : entry;
  });
}

/** A part whose origin can grow, so that joining many messages takes linear time. */
interface JoinedPart extends DraftPart {
  readonly origin: DraftPart["origin"][number][];
}

/** Adds the parts of a message. Merges the two adjacent texts, unless a prompt cache breakpoint separates them. */
function joinParts(joined: JoinedPart[], [next, ...rest]: readonly DraftPart[]): void {
  if (next === undefined) return;
  const last = joined.at(-1);
  const { kind } = next.part;
  const blankLine = "\n\n";
  if (kind.case !== "text") {
    joined.push(joinable(next));
  } else if (last?.part.kind.case !== "text" || last.part.cacheHint !== undefined) {
    joined.push(joinable(withText(next, blankLine + kind.value)));
  } else {
    const { part } = withText(next, last.part.kind.value + blankLine + kind.value);
    append(last.origin, next.origin);
    joined[joined.length - 1] = { part, origin: last.origin };
  }
  append(joined, rest.map(joinable));
}

function joinable({ part, origin }: DraftPart): JoinedPart {
  return { part, origin: [...origin] };
}

function withText({ part, origin }: DraftPart, value: string): DraftPart {
  return { part: { ...part, kind: { case: "text", value } }, origin };
}

/** Whether the model supports system messages; true if unknown. */
function takesSystemMessages({ capabilities }: Model): boolean {
  return capabilities?.systemMessages !== false;
}

/** Moves the text of system messages to the beginning of the first user message; adds one if there is none. */
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

/** Adds a blank line after a text, because providers concatenate text parts without a separator. */
function endParagraph(entry: DraftPart): DraftPart {
  const { kind } = entry.part;
  return kind.case === "text" ? withText(entry, `${kind.value}\n\n`) : entry;
}

/** Reports, as adaptations, how `placeSystemText` changed the caller's system messages. */
export function systemAdaptations(
  { asked, request, origins }: Draft,
  { model, profile, profileTexts: { subject } }: Pick<PlanningContext, "model" | "profile" | "profileTexts">,
): readonly Adaptation[] {
  const found: Adaptation[] = [];
  const changesSystem = profile.joinsSystemMessages || !takesSystemMessages(model);
  const sent = changesSystem ? sentMessages(origins) : [];
  const system = sent.filter((index) => asked.messages.slice(index, index + 1).some(isSystem));
  if ((request.instructions || system.length > 0) && !takesSystemMessages(model)) {
    const message = `${model.id} does not support system messages; their text goes into the first user message`;
    found.push({ kind: "EMULATED", field: ["messages"], message });
  }
  const [, second] = profile.joinsSystemMessages ? system : [];
  if (second !== undefined) {
    const message = `${subject} sends one system message; later ones are merged into the first`;
    found.push({ kind: "EMULATED", field: ["messages", second], message });
  }
  if (asked.messages.every(({ name }) => name === "")) return found;
  for (const index of mergedMessages(origins)) {
    if (!asked.messages[index]?.name) continue;
    const message = "this message is merged into another message, so its name is dropped";
    found.push({ kind: "EMULATED", field: ["messages", index, "name"], message });
  }
  return found;
}
