import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import type { Metadata } from "../kit/metadata.ts";
import type { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";

/** Text or refusal of a message in progress. */
export interface ContentState {
  part: number | undefined;
  kind: "text" | "refusal";
  /** Characters (UTF-16) so far. */
  length: number;
  hasLogprobs: boolean;
  readonly positions: TextPositions;
  /** Annotations so far, as their JSON texts, and those among them whose place in the text has not come. */
  readonly annotations: string[];
  readonly waiting: string[];
}

/** Item in progress. */
export interface ItemState {
  readonly type: string;
  /** The item as the first event had it. */
  readonly begun: unknown;
  /** The item as the last event had it. Undefined: it has not ended. */
  ended: unknown;
  /** Part of the item, set at its first delta. A message has a part for each content. */
  part: number | undefined;
  readonly contents: Map<number, ContentState>;
  /** Characters of the arguments or the reasoning so far. */
  length: number;
  /** Place of the last piece of reasoning, to separate the pieces of the next place. */
  place: string;
}

/** Response in progress. */
export interface AnswerState {
  readonly call: UpstreamCall;
  readonly errors: ErrorDialect;
  /** Whether to drop the text of the reasoning. */
  readonly hideReasoning: boolean;
  /** Items by the API's index. */
  readonly items: Map<number, ItemState>;
  parts: number;
  /** Citations of a text that never came. */
  readonly sources: Citation[];
  /** Searches of the web that the items show. */
  searches: number;
  /** Status, or why the response is incomplete; undefined before the end. */
  word: string | undefined;
  usage: ReportedUsage | undefined;
  serviceTier: string;
  readonly metadata: Metadata;
  readonly unread: Unread;
}

export function startItem(type: string, begun: unknown): ItemState {
  return { type, begun, ended: undefined, part: undefined, contents: new Map(), length: 0, place: "" };
}

export function startContent(kind: ContentState["kind"]): ContentState {
  const nothing = { part: undefined, length: 0, hasLogprobs: false, annotations: [], waiting: [] };
  return { kind, ...nothing, positions: new TextPositions() };
}

/** Returns the index of the part of an item or a content. */
export function partOf(answer: AnswerState, state: { part: number | undefined }): number {
  state.part ??= answer.parts++;
  return state.part;
}
