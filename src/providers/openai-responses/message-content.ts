import { type ChatEvent, citationDelta, type DeltaEvent, refusalDelta, textDelta } from "../../chat/stream/events.ts";
import { toLogProbs } from "../chat-completions/logprobs.ts";
import { itemsOf, memberAt, objectOf } from "../kit/json-text.ts";
import { stateOf } from "../kit/provider-state.ts";
import { toCitation } from "./annotations.ts";
import { type AnswerState, type ContentState, type ItemState, partOf, startContent } from "./answer-state.ts";
import { contentMembers, nameNewMembers } from "./read-members.ts";
import type { Item, ItemContent, StreamEvent } from "./wire.ts";

type LogProbs = StreamEvent["logprobs"];

/** Maximum number of annotations of a text that wait for their place. */
const mostWaiting = 1_000;

export function contentOf(item: ItemState, index: number, kind: ContentState["kind"]): ContentState {
  const known = item.contents.get(index);
  if (known !== undefined) return known;
  const content = startContent(kind);
  item.contents.set(index, content);
  return content;
}

/** Appends text or a refusal to a content. */
export function extendContent(
  answer: AnswerState,
  content: ContentState,
  text: string,
  logprobs: LogProbs,
  batch: ChatEvent[],
): void {
  const tokens = toLogProbs(logprobs);
  if (text === "" && tokens === undefined) return;
  content.length += text.length;
  content.hasLogprobs ||= tokens !== undefined;
  const part = partOf(answer, content);
  if (content.kind === "text") content.positions.append(text);
  batch.push(content.kind === "text" ? textDelta(0, part, text, tokens) : refusalDelta(0, part, text, tokens));
}

/** @param json the annotation as the API sent it */
export function annotate(answer: AnswerState, content: ContentState, json: string, batch: ChatEvent[]): void {
  content.annotations.push(json);
  const { citation, isEarly } = toCitation(json, content.positions, answer.call);
  const waits = content.part === undefined || isEarly;
  if (waits && content.waiting.length < mostWaiting) content.waiting.push(json);
  else if (content.part === undefined) answer.sources.push(citation);
  else batch.push(citationDelta(0, content.part, citation));
}

/**
 * Ends a message: appends what no delta had, and the provider state.
 *
 * @param json the item as the API sent it
 */
export function endMessage(answer: AnswerState, state: ItemState, item: Item, json: string, batch: ChatEvent[]): void {
  const texts = itemsOf(memberAt(json, "content"));
  for (const [index, content] of (item.content ?? []).entries()) {
    const kind = kindOf(content);
    if (kind === undefined) {
      answer.unread.add(`content of the type ${content.type}`, "a message");
      continue;
    }
    const known = contentOf(state, index, kind);
    completeContent(answer, known, content, texts[index] ?? "", batch);
  }
  const phase = memberAt(json, "phase");
  if (phase === "" || phase === "null") return;
  for (const content of state.contents.values()) {
    if (content.part === undefined) continue;
    const event: DeltaEvent =
      content.kind === "text" ? textDelta(0, content.part, "") : refusalDelta(0, content.part, "");
    event.value.providerState = stateOf(answer.call, Buffer.from(objectOf([["phase", phase]])));
    batch.push(event);
  }
}

function kindOf({ type }: ItemContent): ContentState["kind"] | undefined {
  if (type === "output_text") return "text";
  return type === "refusal" ? "refusal" : undefined;
}

function completeContent(
  answer: AnswerState,
  known: ContentState,
  { text, refusal, logprobs }: ItemContent,
  json: string,
  batch: ChatEvent[],
): void {
  const whole = (known.kind === "text" ? text : refusal) ?? "";
  extendContent(answer, known, whole.slice(known.length), known.hasLogprobs ? undefined : logprobs, batch);
  repeatContent(answer, known, json);
  const annotations = itemsOf(memberAt(json, "annotations"));
  for (const annotation of annotations.slice(known.annotations.length)) annotate(answer, known, annotation, batch);
  endWaiting(answer, known, batch);
}

/** Appends the citations that wait for text, whether it has come or not. */
export function endWaiting(answer: AnswerState, content: ContentState, batch: ChatEvent[]): void {
  for (const annotation of content.waiting.splice(0)) {
    const { citation } = toCitation(annotation, content.positions, answer.call);
    if (content.part === undefined) answer.sources.push(citation);
    else batch.push(citationDelta(0, content.part, citation));
  }
}

/** Names what the end of a content has that its deltas and annotations did not have. */
export function repeatContent(answer: AnswerState, known: ContentState | undefined, json: string): void {
  if (json === "") return;
  const content: unknown = JSON.parse(json);
  answer.unread.addMembers(content, contentMembers);
  const annotations = itemsOf(memberAt(json, "annotations")).entries();
  for (const [index, annotation] of annotations.take(known?.annotations.length ?? 0)) {
    const earlier = known?.annotations[index] ?? "";
    if (earlier === annotation) continue;
    nameNewMembers(answer.unread, JSON.parse(earlier), JSON.parse(annotation), "an annotation");
  }
}
