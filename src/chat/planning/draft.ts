import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Message, Part } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation, WarningKind } from "./adaptations.ts";
import { callersField, type MessageOrigin, ownOrigin, type PartOrigin } from "./origins.ts";

/** Adaptation with the path that its warning or error names. */
export interface DraftAdaptation extends Adaptation {
  /** Path in the caller's request. `field` is the path in the outgoing request. */
  readonly callersField: FieldPath;
}

/** Warning with its field as a path, before the path is formatted as text. */
export interface DraftWarning {
  readonly reason: WarningKind;
  readonly field: FieldPath;
  readonly message: string;
}

/** State of planning, which turns the caller's request into the outgoing request for a provider (`steps.ts`). */
export interface Draft {
  /** The caller's request, which no step changes. */
  readonly asked: ChatRequest;
  /** The outgoing request, as changed by the steps so far. */
  readonly request: ChatRequest;
  /** Source of each message of `request` in the caller's request. */
  readonly origins: readonly MessageOrigin[];
  /** Index of each tool of `request` in the caller's request. Undefined: the tools are the caller's. */
  readonly toolOrigins: readonly number[] | undefined;
  /** The caller's function name for each name that the provider gets instead (`tool-names.ts`). Undefined: none. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
  /** Stop sequences at which Dragoman ends the response itself, because the provider does not accept them. */
  readonly stops: readonly string[];
  /** Fields that the profile set because the caller did not. */
  readonly defaulted: readonly FieldPath[];
  /** Changes that the steps so far require. `applyAdaptations` makes and reports them. */
  readonly adaptations: readonly DraftAdaptation[];
  /** Whether Dragoman validates the response against the schema of the caller's output format. */
  readonly checksSchema: boolean;
  readonly warnings: readonly DraftWarning[];
  /** Raw prompt that a chat template rendered. Undefined if the provider accepts messages. */
  readonly prompt: string | undefined;
}

/** Creates the draft before the first step. */
export function startDraft(asked: ChatRequest): Draft {
  return {
    asked,
    request: asked,
    origins: asked.messages.map(ownOrigin),
    toolOrigins: undefined,
    toolNames: undefined,
    stops: [],
    defaulted: [],
    adaptations: [],
    checksSchema: false,
    warnings: [],
    prompt: undefined,
  };
}

/** Outgoing message with its source in the caller's request. */
export interface DraftMessage {
  readonly message: Message;
  readonly origin: MessageOrigin;
}

export function draftMessages({ request, origins }: Draft): readonly DraftMessage[] {
  return request.messages.flatMap((message, index) => {
    const origin = origins[index];
    return origin === undefined ? [] : [{ message, origin }];
  });
}

export function withMessages(draft: Draft, messages: readonly DraftMessage[]): Draft {
  return {
    ...draft,
    request: { ...draft.request, messages: messages.map(({ message }) => message) },
    origins: messages.map(({ origin }) => origin),
  };
}

/** Returns the draft with only the messages at these indexes. */
export function keepMessages(draft: Draft, indexes: readonly number[]): Draft {
  const all = draftMessages(draft);
  return withMessages(
    draft,
    indexes.flatMap((index) => all[index] ?? []),
  );
}

/** Outgoing part with the caller's parts whose text it contains. */
export interface DraftPart {
  readonly part: Part;
  readonly origin: readonly PartOrigin[];
}

export function draftParts({ message, origin }: DraftMessage): readonly DraftPart[] {
  return message.parts.map((part, index) => ({ part, origin: origin.parts[index] ?? [] }));
}

export function withParts({ message, origin }: DraftMessage, parts: readonly DraftPart[]): DraftMessage {
  return {
    message: { ...message, parts: parts.map(({ part }) => part) },
    origin: { ...origin, parts: parts.map((part) => part.origin) },
  };
}

/** Adds adaptations whose fields are paths in the caller's request. */
export function adapt(draft: Draft, adaptations: readonly Adaptation[]): Draft {
  if (adaptations.length === 0) return draft;
  const added = adaptations.map((adaptation) => ({ ...adaptation, callersField: adaptation.field }));
  return { ...draft, adaptations: [...draft.adaptations, ...added] };
}

/** Adds adaptations to the draft. Their field paths refer to the outgoing request and not to the caller's. */
export function adaptOutgoing(draft: Draft, adaptations: readonly Adaptation[]): Draft {
  if (adaptations.length === 0) return draft;
  const added = adaptations.map((adaptation) => ({
    ...adaptation,
    callersField: fieldOfCaller(draft, adaptation.field),
  }));
  return { ...draft, adaptations: [...draft.adaptations, ...added] };
}

/** Maps a field of the outgoing request to the caller's field. */
function fieldOfCaller({ origins, toolOrigins }: Draft, field: FieldPath): FieldPath {
  const [list, index] = field;
  if (toolOrigins === undefined) return callersField(origins, field);
  // `keepAllowedTools` has replaced the caller's allowed_tools by its mode.
  if (list === "tool_choice") return ["tool_choice", "allowed_tools", ...field.slice(1)];
  if (list === "tools" && typeof index === "number") return ["tools", toolOrigins[index] ?? index, ...field.slice(2)];
  return callersField(origins, field);
}
