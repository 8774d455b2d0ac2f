import { z } from "zod";
import { type ChatEvent, mediaDelta } from "../../chat/stream/events.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { hasValue, isFields, Metadata, otherFields } from "../kit/metadata.ts";
import { mediaOfUrl } from "../kit/output-media.ts";
import type { Unread } from "../kit/unread.ts";
import { Annotations } from "./annotations.ts";
import { AudioOutput } from "./audio-output.ts";
import { functionFields, keepCallFields, OtherCalls } from "./call-fields.ts";
import { ExecutedTools } from "./executed-tools.ts";
import { choiceFields, messageFields } from "./known-fields.ts";
import { annotationMembers, audioMembers, imageMembers, textMembers } from "./read-members.ts";
import type { ChunkToolCall } from "./wire.ts";

const image = z.object({ image_url: z.union([z.string(), z.object({ url: z.string() })]) });

/** Reads the fields of one choice that only some servers send. Fields without a place become metadata. */
export class Extras {
  readonly metadata = new Metadata();
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  readonly #call: UpstreamCall;
  readonly #audioType: string;
  readonly #annotations: Annotations;
  readonly #unread: Unread;
  // Few responses have audio, executed tools or calls of other kinds.
  #audio: AudioOutput | undefined;
  #tools: ExecutedTools | undefined;
  #otherCalls: OtherCalls | undefined;

  /** `newPart` returns the next free part index. */
  constructor(call: UpstreamCall, choiceIndex: number, newPart: () => number, audioType: string, unread: Unread) {
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
    this.#unread = unread;
    this.#call = call;
    this.#audioType = audioType;
    this.#annotations = new Annotations(call, choiceIndex);
  }

  /** Adds text of the choice, to which the positions of annotations refer. */
  wrote(text: string): void {
    this.#annotations.wrote(text);
  }

  /** Reads the fields of a choice that Dragoman has no field for. */
  readChoice(choice: unknown): void {
    for (const [name, value] of otherFields(choice, choiceFields)) this.metadata.add(name, value, "merge");
  }

  /** Reads the tools that the server ran, before the text: a whole message does not state the order. */
  readTools(message: unknown, batch: ChatEvent[]): void {
    const list = isFields(message) ? message.executed_tools : undefined;
    if (!hasValue(list)) return;
    this.#tools ??= new ExecutedTools(this.#call, this.#choiceIndex, this.#newPart);
    const tools = this.#tools;
    this.metadata.add(
      "executed_tools",
      unread(list, (item, place) => tools.read(item, place, batch)),
      "join",
    );
  }

  /** Keeps the calls that are no function calls, and unknown fields of all. Returns the function calls. */
  functionCalls(calls: readonly ChunkToolCall[], message: unknown): readonly ChunkToolCall[] {
    const raw: unknown = isFields(message) ? message.tool_calls : undefined;
    if (!Array.isArray(raw)) return calls;
    if (calls.every((call) => call.function)) {
      keepCallFields(this.metadata, raw);
      return calls;
    }
    this.#otherCalls ??= new OtherCalls(this.metadata);
    const others = this.#otherCalls;
    const own = calls.map((call, place) => !others.keep(call, raw[place]));
    keepCallFields(
      this.metadata,
      raw.filter((_, place) => own[place]),
    );
    return calls.filter((_, place) => own[place]);
  }

  /** Keeps unknown fields of the deprecated `function_call`. */
  keepFunctionCall(message: unknown): void {
    const call = isFields(message) ? message.function_call : undefined;
    this.metadata.add("function_call", Object.fromEntries(otherFields(call, functionFields)), "join");
  }

  /**
   * Reads the other fields of a delta or message, after its text. `textPart` is the part of the text, if it has begun.
   */
  readMessage(message: unknown, textPart: number | undefined, batch: ChatEvent[]): void {
    if (!isFields(message)) return;
    if (Array.isArray(message.content)) this.#readContent(message.content, batch);
    for (const [name, value] of otherFields(message, messageFields)) {
      if (name === "executed_tools") continue;
      const rest = this.#readField(name, value, textPart, batch);
      this.metadata.add(name, rest, "join");
    }
  }

  /** Appends the last events of the choice. Returns the sources that have no place in its text. */
  end(textPart: number | undefined, batch: ChatEvent[]): readonly Citation[] {
    this.#audio?.end(batch);
    return this.#annotations.end(textPart, batch);
  }

  /** Reads one field. Returns what has no place in the contract. */
  #readField(name: string, value: unknown, textPart: number | undefined, batch: ChatEvent[]): unknown {
    switch (name) {
      case "annotations":
        return unread(value, (item) => this.#readAnnotation(item, textPart, batch));
      case "images":
        return unread(value, (item) => this.#readImage(item, batch));
      case "audio":
        this.#audio ??= new AudioOutput(this.#call, this.#choiceIndex, this.#newPart, this.#audioType);
        if (!this.#audio.read(value, batch)) return value;
        this.#unread.addMembers(value, audioMembers);
        return undefined;
      default:
        return value;
    }
  }

  #readAnnotation(item: unknown, textPart: number | undefined, batch: ChatEvent[]): boolean {
    if (!this.#annotations.read(item, textPart, batch)) return false;
    // The state of a file's citation has the whole annotation.
    if (!isFields(item) || item.type !== "file") this.#unread.addMembers(item, annotationMembers);
    return true;
  }

  #readContent(content: readonly unknown[], batch: ChatEvent[]): void {
    const others = content.filter((part) => !isFields(part) || typeof part.text !== "string");
    for (const part of content) if (!others.includes(part)) this.#unread.addMembers(part, textMembers);
    this.metadata.add(
      "content",
      unread(others, (part) => this.#readImage(part, batch)),
      "join",
    );
  }

  #readImage(value: unknown, batch: ChatEvent[]): boolean {
    const parsed = image.safeParse(value);
    if (!parsed.success) return false;
    this.#unread.addMembers(value, imageMembers);
    const { image_url: address } = parsed.data;
    const media = mediaOfUrl(typeof address === "string" ? address : address.url);
    batch.push(mediaDelta(this.#choiceIndex, this.#newPart(), media));
    return true;
  }
}

/** Reads each item of a list. Returns those that were not read; the value itself if it is no list. */
function unread(value: unknown, read: (item: unknown, place: number) => boolean): unknown {
  return Array.isArray(value) ? value.filter((item, place) => !read(item, place)) : value;
}
