import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  citationDelta,
  completed,
  finished,
  mediaDelta,
  reasoningDelta,
  serverToolCallDelta,
  serverToolResultDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { itemsOf, membersOf } from "../kit/json-text.ts";
import { metadataJson } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import { toCitation } from "./citations.ts";
import { bedrockErrors, frameFailure } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { endMetadata, stopMetadata } from "./metadata.ts";
import { ContentList, serverCall, serverResult } from "./server-blocks.ts";
import { bedrockUsage, toTimeInfo } from "./usage.ts";
import { type Payload, payloadSchema } from "./wire.ts";

/** Content block in progress. */
interface BlockState {
  readonly kind: "text" | "reasoning" | "redacted" | "toolUse" | "serverCall" | "serverResult" | "image";
  readonly partIndex: number;
  /** Calls only: whether a delta with arguments has arrived. */
  hasArguments: boolean;
  /** Results of Bedrock's tools only: their content. Undefined after the end of the block. */
  content: ContentList | undefined;
}

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Whether the caller requested the reasoning format HIDDEN. Dragoman then omits the reasoning text. */
  readonly hideReasoning: boolean;
  /** Blocks by Bedrock's index. Deltas of several blocks may interleave. */
  readonly blocks: Map<number, BlockState>;
  /** Indexes of the blocks whose reasoning text Dragoman omitted. */
  readonly hidden: Set<number>;
  /** Number of parts so far. */
  parts: number;
  /** Undefined until `messageStop`, which has none in rare cases. */
  stopReason: string | undefined;
  matchedStop: string;
  usage: ReportedUsage | undefined;
  latencyMs: number | undefined;
  serviceTier: string;
  /** Facts about the response that the contract has no fields for. */
  readonly metadata: Record<string, unknown>;
  readonly unread: Unread;
  /** Media types of images that have begun, by Bedrock's index. */
  readonly imageTypes: Map<number, string>;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return {
    call,
    hideReasoning,
    blocks: new Map(),
    hidden: new Set(),
    parts: 0,
    stopReason: undefined,
    matchedStop: "",
    usage: undefined,
    latencyMs: undefined,
    serviceTier: "",
    metadata: {},
    unread: new Unread(),
    imageTypes: new Map(),
  };
}

/** Converts one frame and appends the results to `batch`. Throws if the frame is an error. Always returns false. */
export function toEvents(answer: AnswerState, frame: Frame, batch: ChatEvent[]): boolean {
  if (frame.headers[":message-type"] !== "event") throw frameFailure(frame, answer.call);
  switch (frame.headers[":event-type"]) {
    case "contentBlockStart":
      startBlock(answer, payloadOf(frame, answer.call), frame.payload, batch);
      break;
    case "contentBlockDelta":
      extendBlock(answer, payloadOf(frame, answer.call), frame.payload, batch);
      break;
    case "contentBlockStop":
      endBlock(answer.blocks.get(payloadOf(frame, answer.call).contentBlockIndex ?? 0), batch);
      break;
    case "messageStop": {
      const { stopReason, additionalModelResponseFields: more } = payloadOf(frame, answer.call);
      Object.assign(answer.metadata, stopMetadata(parseJson(frame.payload, answer.call)));
      answer.stopReason = stopReason ?? "";
      answer.matchedStop = more?.delta?.stop_sequence ?? more?.stop_sequence ?? "";
      break;
    }
    case "metadata": {
      const { usage, metrics, serviceTier } = payloadOf(frame, answer.call);
      answer.usage = bedrockUsage.add(answer.usage, usage);
      answer.latencyMs = metrics?.latencyMs ?? undefined;
      answer.serviceTier = serviceTier?.type ?? "";
      Object.assign(answer.metadata, endMetadata(parseJson(frame.payload, answer.call)));
      break;
    }
    // Contains nothing that Dragoman reads.
    case "messageStart":
      break;
    default:
      answer.unread.add(`the event ${frame.headers[":event-type"]}`, "the stream");
  }
  // Only the end of the body ends the response: `metadata` may come before or after `messageStop`.
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the stream ended without `messageStop`. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, matchedStop, blocks, serviceTier, latencyMs } = answer;
  const stopReason = answer.stopReason ?? (call.filter === "" ? undefined : "");
  if (stopReason === undefined) throw cutAnswer(call);
  const meaning = readFinishReason(stopReason, call, false);
  for (const block of blocks.values()) {
    endBlock(block, batch);
    const { kind, hasArguments, partIndex } = block;
    if (kind === "toolUse" && !hasArguments) batch.push(toolCallDelta(0, partIndex, "{}"));
    if (kind === "serverCall" && !hasArguments) batch.push(serverToolCallDelta(0, partIndex, "{}"));
  }
  const chosen = { providerMetadataJson: metadataJson(answer.metadata) };
  const end = choiceEnd(finished(0, meaning, stopReason, matchedStop, chosen), call);
  const usage = bedrockUsage.toUsage(answer.usage);
  const facts = {
    ...(usage && { usage }),
    ...(latencyMs !== undefined && { timeInfo: toTimeInfo(latencyMs) }),
  };
  batch.push(end, completed({ serviceTier, warnings: answer.unread.warnings, ...facts }));
}

function payloadOf({ payload }: Frame, call: UpstreamCall): Payload {
  return parseAnswer(parseJson(payload, call), payloadSchema, call, bedrockErrors);
}

/**
 * Starts a call, a result of Bedrock's own tools or an image; other blocks have no start.
 *
 * @param data the event as Bedrock sent it
 */
function startBlock(
  answer: AnswerState,
  { contentBlockIndex, start }: Payload,
  data: string,
  batch: ChatEvent[],
): void {
  const index = contentBlockIndex ?? 0;
  const { toolUse, toolResult, image } = start ?? {};
  if (toolUse && (toolUse.type ?? "tool_use") === "tool_use") {
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
  } else {
    for (const name of membersOf(membersOf(data).get("start") ?? "").keys()) {
      answer.unread.add(name, `content block ${index}`);
    }
  }
}

/** @param data the event as Bedrock sent it */
function extendBlock(
  answer: AnswerState,
  { contentBlockIndex, delta }: Payload,
  data: string,
  batch: ChatEvent[],
): void {
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
    const { text, signature, redactedContent } = delta.reasoningContent;
    reasoningEvents(answer, index, delta.reasoningContent, batch);
    if (!text && !signature && !redactedContent) unreadReasoning(answer, index, data);
  }
  // A delta has one member: if it is none of those above, it is a rare one.
  if (!delta?.text && !delta?.toolUse && !delta?.reasoningContent) {
    extendRarely(answer, index, membersOf(membersOf(data).get("delta") ?? ""), batch);
  }
}

/** Names a delta of the reasoning that this version does not know. Empty ones of the known kinds say nothing. */
function unreadReasoning(answer: AnswerState, index: number, data: string): void {
  const delta = membersOf(membersOf(data).get("delta") ?? "");
  for (const name of membersOf(delta.get("reasoningContent") ?? "").keys()) {
    if (!reasoningMembers.has(name)) answer.unread.add(name, `content block ${index}`);
  }
}

const reasoningMembers: ReadonlySet<string> = new Set(["text", "signature", "redactedContent"]);

/** Adds a delta that is no text, no input and no reasoning. `delta` has the exact JSON text of each member. */
function extendRarely(
  answer: AnswerState,
  index: number,
  delta: ReadonlyMap<string, string>,
  batch: ChatEvent[],
): void {
  for (const [name, json] of delta) {
    if (json === "null") continue;
    switch (name) {
      case "text":
      case "toolUse":
      case "reasoningContent":
        break;
      case "citation":
        addCitation(answer, index, json, batch);
        break;
      case "toolResult": {
        const known = answer.blocks.get(index);
        if (known?.kind !== "serverResult") {
          batch.push(serverResult(blockAt(answer, index, "serverResult").partIndex, "{}", answer.call));
        }
        const { partIndex, content } = blockAt(answer, index, "serverResult");
        const text = itemsOf(json).map((item) => content?.add(item) ?? "");
        if (text.length > 0) batch.push(serverToolResultDelta(0, partIndex, text.join("")));
        break;
      }
      case "image":
        addImage(answer, index, json, batch);
        break;
      default:
        answer.unread.add(name, `content block ${index}`);
    }
  }
}

/** Adds a citation to a text. Bedrock may send it before the text. */
function addCitation(answer: AnswerState, index: number, json: string, batch: ChatEvent[]): void {
  if (answer.blocks.get(index)?.kind !== "text") {
    batch.push(textDelta(0, blockAt(answer, index, "text").partIndex, ""));
  }
  batch.push(citationDelta(0, blockAt(answer, index, "text").partIndex, toCitation(json, answer.call)));
}

/** Returns the string in a JSON text; empty for any other value. */
function textOf(json: string | undefined): string {
  const value: unknown = json === undefined ? "" : JSON.parse(json);
  return typeof value === "string" ? value : "";
}

function addImage(answer: AnswerState, index: number, json: string, batch: ChatEvent[]): void {
  const image = membersOf(json);
  const bytes = textOf(membersOf(image.get("source") ?? "").get("bytes"));
  if (bytes === "") {
    answer.unread.add("an image without bytes", `content block ${index}`);
    return;
  }
  if ((image.get("error") ?? "null") !== "null") answer.unread.add("an error of an image", `content block ${index}`);
  const isNew = answer.blocks.get(index)?.kind !== "image";
  const mediaType = isNew ? (answer.imageTypes.get(index) ?? "image/png") : "";
  batch.push(
    mediaDelta(0, blockAt(answer, index, "image").partIndex, {
      source: { case: "data", value: Buffer.from(bytes, "base64") },
      mediaType: mediaType,
    }),
  );
}

/** Ends the content of a result of Bedrock's tools. */
function endBlock(block: BlockState | undefined, batch: ChatEvent[]): void {
  if (block?.content === undefined) return;
  batch.push(serverToolResultDelta(0, block.partIndex, block.content.end()));
  block.content = undefined;
}

type ReasoningDelta = NonNullable<NonNullable<Payload["delta"]>["reasoningContent"]>;

function reasoningEvents(
  answer: AnswerState,
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

/** Returns the block at an index. Starts a new part if the index is new or the block's kind changed. */
function blockAt(answer: AnswerState, index: number, kind: BlockState["kind"]): BlockState {
  const known = answer.blocks.get(index);
  if (known?.kind === kind) return known;
  const content = kind === "serverResult" ? new ContentList() : undefined;
  const block: BlockState = { kind, partIndex: answer.parts++, hasArguments: false, content };
  answer.blocks.set(index, block);
  return block;
}
