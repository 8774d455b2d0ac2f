import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  reasoningDelta,
  serverToolCallDelta,
  serverToolResultDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { malformedAnswer } from "../../upstream/errors.ts";
import { memberAt, membersOf } from "../kit/json-text.ts";
import { stateOf } from "../kit/provider-state.ts";
import { type BlockState, blockAt, type ContentState } from "./block-state.ts";
import { callMembers, startMembers } from "./read-members.ts";
import { serverCall, serverResult } from "./server-blocks.ts";
import type { Payload } from "./wire.ts";

/**
 * Starts a call, a result of Bedrock's own tools or an image; other blocks have no start.
 *
 * @param data the event as Bedrock sent it
 */
export function startBlock(
  answer: ContentState,
  { contentBlockIndex, start }: Payload,
  data: string,
  batch: ChatEvent[],
): void {
  const index = contentBlockIndex ?? 0;
  const { toolUse, toolResult, image } = start ?? {};
  if (toolUse && (toolUse.type ?? "tool_use") === "tool_use") {
    answer.unread.addMembers(JSON.parse(memberAt(data, "start", "toolUse")), callMembers);
    const id = toolUse.toolUseId || `tooluse_${randomUUID().replaceAll("-", "")}`;
    batch.push(toolCallDelta(0, blockAt(answer, index, "toolUse").partIndex, "", id, toolUse.name));
  } else if (toolUse) {
    const json = membersOf(membersOf(data).get("start") ?? "").get("toolUse") ?? "";
    batch.push(serverCall(blockAt(answer, index, "serverCall").partIndex, json, answer.call));
  } else if (toolResult) {
    const json = membersOf(membersOf(data).get("start") ?? "").get("toolResult") ?? "";
    batch.push(serverResult(blockAt(answer, index, "serverResult").partIndex, json, answer.call));
  } else if (image) {
    answer.imageTypes.set(index, `image/${image.format || "png"}`);
  }
  for (const name of membersOf(memberAt(data, "start")).keys()) {
    if (!startMembers.has(name)) answer.unread.add(name, `content block ${index}`);
  }
}

/** Adds the text, input and reasoning of a delta. */
export function extendBlock(answer: ContentState, { contentBlockIndex, delta }: Payload, batch: ChatEvent[]): void {
  const index = contentBlockIndex ?? 0;
  if (delta?.text) {
    batch.push(textDelta(0, blockAt(answer, index, "text").partIndex, delta.text));
  }
  if (delta?.toolUse?.input) {
    const block = answer.blocks.get(index);
    if (block === undefined) throw malformedAnswer(answer.call, "a tool call has no name");
    block.hasArguments = true;
    const { kind, partIndex } = block;
    const { input } = delta.toolUse;
    batch.push(kind === "serverCall" ? serverToolCallDelta(0, partIndex, input) : toolCallDelta(0, partIndex, input));
  }
  if (delta?.reasoningContent) {
    reasoningEvents(answer, index, delta.reasoningContent, batch);
  }
}

type ReasoningDelta = NonNullable<NonNullable<Payload["delta"]>["reasoningContent"]>;

function reasoningEvents(
  answer: ContentState,
  index: number,
  { text, signature, redactedContent }: ReasoningDelta,
  batch: ChatEvent[],
): void {
  if (text && answer.hideReasoning) {
    answer.hidden.add(index);
    answer.call.hadHiddenOutput = true;
  } else if (text) {
    batch.push(reasoningDelta(0, blockAt(answer, index, "reasoning").partIndex, text));
  }
  // If Dragoman omitted the text, it drops the signature too, which is useless without that text. If Claude omitted the
  // text, the signature is for the empty text, and Dragoman keeps it.
  if (signature && !answer.hidden.has(index)) {
    const event = reasoningDelta(0, blockAt(answer, index, "reasoning").partIndex, "");
    event.value.providerState = stateOf(answer.call, Buffer.from(signature));
    batch.push(event);
  }
  if (redactedContent) {
    const event = reasoningDelta(0, blockAt(answer, index, "redacted").partIndex, "");
    if (event.value.delta.case === "reasoning") event.value.delta.value.redacted = true;
    event.value.providerState = stateOf(answer.call, Buffer.from(redactedContent, "base64"));
    batch.push(event);
  }
}

/** Ends the content of a result of Bedrock's tools. */
export function endBlock(block: BlockState | undefined, batch: ChatEvent[]): void {
  if (block?.content === undefined) return;
  batch.push(serverToolResultDelta(0, block.partIndex, block.content.end()));
  block.content = undefined;
}
