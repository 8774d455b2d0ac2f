import { create } from "@bufbuild/protobuf";
import { mostViolations } from "../../errors.ts";
import { type FieldPath, formatPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { MessageSchema, type Part, PartSchema, Role, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { capabilityAdaptations } from "./capabilities.ts";
import { contentAdaptations } from "./check-content.ts";
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
import { mediaKind } from "./media-kind.ts";
import { hasPart, mediaIn, partsOf } from "./parts.ts";
import type { PlanningContext } from "./planning-context.ts";

type Context = Pick<PlanningContext, "model" | "accepts" | "checkSupport">;

/**
 * Moves media that the provider does not accept in tool results into a user message after the results of the turn: the
 * next message if it is a user message, else a new one. A text in place of the media and a text before it there link
 * the two, so that a result is never empty. Leaves the request unchanged if the target takes some of the media in no
 * message either: the support checks then reject it.
 *
 * Runs after `orderResults`, which puts the results of a turn together, and `mapToolNames`, since the texts have the
 * names of tools; before `fitWindow`, which counts the texts.
 */
export function moveResultMedia(draft: Draft, context: Context): Draft {
  const rejected = rejectedInResults(draft.request, context);
  if (rejected.length === 0 || !takesInUserMessage(draft.request, rejected, context)) return draft;
  const paths = new Set(rejected.map(({ path }) => formatPath(path)));
  return moveMedia(draft, context.model.provider, (path) => paths.has(formatPath(path)));
}

/** Steps of the path of media in a tool result: `messages[2].parts[0].tool_result.parts[1].media`. */
const pathLength = 8;

interface PlacedMedia {
  readonly media: Media;
  readonly path: FieldPath;
}

function rejectedInResults(request: ChatRequest, { checkSupport }: Context): readonly PlacedMedia[] {
  if (!hasPart(request.messages, isResult)) return [];
  const placed = partsOf(request.messages)
    .filter(({ part }) => part.kind.case === "toolResult")
    .flatMap(mediaIn)
    .toArray();
  if (placed.length === 0) return placed;
  const fields = new Set<string>();
  for (const { kind, field } of checkSupport(request)) {
    if (kind === "REJECTED") fields.add(formatPath(field.slice(0, pathLength)));
  }
  return placed.filter(({ path }) => fields.has(formatPath(path)));
}

function isResult({ kind }: Part): boolean {
  return kind.case === "toolResult";
}

function takesInUserMessage(request: ChatRequest, placed: readonly PlacedMedia[], context: Context): boolean {
  const parts = placed.map(({ media }) => mediaPart(media));
  const probe = { ...request, messages: [create(MessageSchema, { role: Role.USER, parts })] };
  return [
    ...capabilityAdaptations(probe, context.model),
    ...contentAdaptations(probe, context),
    ...context.checkSupport(probe),
  ].every(({ kind, field }) => kind !== "REJECTED" || !(field[0] === "messages" && field[2] === "parts"));
}

function moveMedia(draft: Draft, provider: string, isMoved: (path: FieldPath) => boolean): Draft {
  const changes: Adaptation[] = [];
  const names = new Map<string, string>();
  const messages: DraftMessage[] = [];
  let moved = new MovedMedia();
  for (const [index, entry] of draftMessages(draft).entries()) {
    const { role, parts } = entry.message;
    if (role === Role.TOOL) {
      const fitted = draftParts(entry).map((part, place) => withoutMedia(part, ["messages", index, "parts", place]));
      messages.push(withParts(entry, fitted));
      continue;
    }
    const pending = moved.parts;
    moved = new MovedMedia();
    if (pending.length > 0 && role === Role.USER) {
      messages.push(withParts(entry, [...pending, ...draftParts(entry)]));
    } else {
      if (pending.length > 0) messages.push(userMessage(pending));
      messages.push(entry);
    }
    for (const { kind } of parts) if (kind.case === "toolCall") names.set(kind.value.id, kind.value.name);
  }
  if (moved.parts.length > 0) messages.push(userMessage(moved.parts));
  return withMessages(adaptOutgoing(draft, changes.slice(0, mostViolations)), messages);

  /** Returns a tool result with a text in place of each media that is moved. */
  function withoutMedia(draftPart: DraftPart, path: FieldPath): DraftPart {
    const { kind } = draftPart.part;
    if (kind.case !== "toolResult") return draftPart;
    const { value: result } = kind;
    const parts = result.parts.map((inner, place): ToolResult["parts"][number] => {
      const field = [...path, "tool_result", "parts", place, "media"];
      if (inner.kind.case !== "media" || !isMoved(field)) return inner;
      const title = moved.add(inner.kind.value, names.get(result.toolCallId), draftPart.origin, place);
      const message = `${provider} does not accept this media in tool results; it is sent in a user message after them`;
      changes.push({ kind: "EMULATED", field, message });
      return { ...inner, kind: { case: "text", value: `(${title} is in the next user message)` } };
    });
    return { ...draftPart, part: { ...draftPart.part, kind: { case: "toolResult", value: { ...result, parts } } } };
  }
}

/** Media of the results of one turn, with the texts before them. Each has a number among those of its kind. */
class MovedMedia {
  readonly parts: DraftPart[] = [];
  readonly #counts = new Map<string, number>();

  /** Adds media of a tool result. Returns its title, such as `image 2`. */
  add(media: Media, tool: string | undefined, origin: DraftPart["origin"], place: number): string {
    const kind = mediaKind(media) ?? "file";
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const title = `${kind} ${count}`;
    const text = `${title} of the tool results${tool === undefined ? "" : `, from ${tool}`}:`;
    const sources = origin.map((source) => (source === "instructions" ? source : { ...source, result: place }));
    this.parts.push(
      { part: create(PartSchema, { kind: { case: "text", value: text } }), origin: [] },
      { part: mediaPart(media), origin: sources },
    );
    return title;
  }
}

function userMessage(parts: readonly DraftPart[]): DraftMessage {
  const empty = { message: create(MessageSchema, { role: Role.USER }), origin: { message: undefined, parts: [] } };
  return withParts(empty, parts);
}

function mediaPart(value: Media): Part {
  return create(PartSchema, { kind: { case: "media", value } });
}
