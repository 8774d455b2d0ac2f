import { invalidRequest, mostViolations } from "../../errors.ts";
import { type Message, type Part, Role, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import { type Adaptation, lostHint } from "./adaptations.ts";
import {
  adaptOutgoing,
  type Draft,
  type DraftMessage,
  type DraftPart,
  draftMessages,
  draftParts,
  withMessages,
  withParts,
} from "./draft.ts";
import { callersField } from "./origins.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Leaves out texts that the provider rejects, and messages that have no other content. Without this, the provider would
 * reject every later request of the conversation too. Throws INVALID_REQUEST instead if the first or the last message
 * of the conversation is a user message and would vanish: then the model would continue its own message.
 *
 * Runs after `placeSystemText`, which adds texts, and after `dropForeignState`: a text with the provider's state, such
 * as a signature, is not empty for the provider.
 */
export function dropBlankText(
  draft: Draft,
  { rejectedText, model }: Pick<PlanningContext, "rejectedText" | "model">,
): Draft {
  if (rejectedText === undefined) return draft;
  const isRejected = rejectedText === "blank" ? isBlank : isEmpty;
  const isFit = ({ parts }: Message) => parts.length > 0 && parts.every((part) => !hasRejected(part, isRejected));
  if (draft.request.messages.every(isFit)) return draft;
  const found: Adaptation[] = [];
  const what = rejectedText === "blank" ? "text of blanks only" : "empty text";
  const entries = draftMessages(draft);
  const kept = entries.map((entry, index): DraftMessage | undefined => {
    const parts = draftParts(entry).flatMap(({ part, origin }, place): DraftPart[] => {
      if (!hasRejected(part, isRejected)) return [{ part, origin }];
      // The loss of an empty text is no loss.
      if (holdsMore(part)) {
        const message = `${model.provider} does not accept ${what}; it is not sent`;
        found.push({ kind: "LEFT_OUT", field: ["messages", index, "parts", place], message });
      }
      const { kind } = part;
      if (kind.case !== "toolResult") {
        if (part.cacheHint !== undefined)
          found.push(lostHint(["messages", index, "parts", place], `${what} is not sent`));
        return [];
      }
      return [{ part: { ...part, kind: { case: "toolResult", value: withoutTexts(kind.value, isRejected) } }, origin }];
    });
    if (parts.length > 0) return withParts(entry, parts);
    const message = `${model.provider} does not accept a message with only ${what}; it is not sent`;
    found.push({ kind: "LEFT_OUT", field: ["messages", index], message });
    return undefined;
  });
  const lost = lostTurn(entries, kept);
  if (lost !== undefined) {
    const description = `${model.provider} does not accept a message with only ${what}; write some text`;
    throw invalidRequest([{ field: callersField(draft.origins, ["messages", lost, "parts"]), description }]);
  }
  const sent = kept.filter((entry) => entry !== undefined);
  return withMessages(adaptOutgoing(draft, found.slice(0, mostViolations)), sent);
}

type IsRejected = (text: string) => boolean;

const isEmpty: IsRejected = (text) => text === "";
const isBlank: IsRejected = (text) => !/\S/.test(text);

/** Whether a part is, or a tool result contains, text that the provider rejects. */
function hasRejected({ kind, providerState }: Part, isRejected: IsRejected): boolean {
  if (kind.case === "text" || kind.case === "refusal") return providerState === undefined && isRejected(kind.value);
  return kind.case === "toolResult" && kind.value.parts.some(({ kind: inner }) => isRejectedText(inner, isRejected));
}

function isRejectedText(kind: ToolResult["parts"][number]["kind"], isRejected: IsRejected): boolean {
  return kind.case === "text" && isRejected(kind.value);
}

function withoutTexts(result: ToolResult, isRejected: IsRejected): ToolResult {
  return { ...result, parts: result.parts.filter(({ kind }) => !isRejectedText(kind, isRejected)) };
}

/** Whether a part that is left out has more than empty text: blanks or a cache hint. */
function holdsMore({ kind, cacheHint }: Part): boolean {
  if (kind.case === "toolResult") return kind.value.parts.some(({ kind: inner }) => isRejectedText(inner, isBlanks));
  return cacheHint !== undefined || (typeof kind.value === "string" && isBlanks(kind.value));
}

const isBlanks: IsRejected = (text) => text !== "" && isBlank(text);

/**
 * Returns the index of the first or the last message of the conversation if it is the user's and vanishes beside a
 * message of the assistant, or if nothing remains. Undefined: neither.
 */
function lostTurn(entries: readonly DraftMessage[], kept: readonly (DraftMessage | undefined)[]): number | undefined {
  const isTurn = (entry: DraftMessage | undefined) => entry !== undefined && !isSystem(entry.message);
  const edges = [
    [entries.findIndex(isTurn), kept.find(isTurn)],
    [entries.findLastIndex(isTurn), kept.findLast(isTurn)],
  ] as const;
  for (const [index, next] of edges) {
    const lost = entries[index];
    if (lost === undefined || kept[index] !== undefined) continue;
    if (next === undefined) return index;
    if (lost.message.role === Role.USER && next.message.role === Role.ASSISTANT) return index;
  }
  return undefined;
}
