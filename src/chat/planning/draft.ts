import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Message, Part } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { callersField, type MessageOrigin, ownOrigin, type PartOrigin } from "./origins.ts";

/** An adaptation, and the caller's field that a warning or an error about it names. */
export interface DraftAdaptation extends Adaptation {
  readonly callersField: FieldPath;
}

/** A warning whose field has no text yet. */
export interface DraftWarning {
  readonly reason: Adaptation["kind"] | "ADVICE";
  readonly field: FieldPath;
  readonly message: string;
}

/** A request on its way from the caller's to the one that goes out. */
export interface Draft {
  /** The caller's request, which no step changes. */
  readonly asked: ChatRequest;
  /** The request as it goes out, as far as the steps have come. */
  readonly request: ChatRequest;
  /** Where each message of `request` comes from. */
  readonly origins: readonly MessageOrigin[];
  /** Fields that the profile set, since the caller left them empty. */
  readonly defaulted: readonly FieldPath[];
  readonly adaptations: readonly DraftAdaptation[];
  /** Whether Dragoman validates the response against the schema of the caller's output format. */
  readonly checksSchema: boolean;
  readonly warnings: readonly DraftWarning[];
  /** The raw prompt, where a chat template makes it. */
  readonly prompt: string | undefined;
}

/** The draft before its first step. */
export function startDraft(asked: ChatRequest): Draft {
  return {
    asked,
    request: asked,
    origins: asked.messages.map(ownOrigin),
    defaulted: [],
    adaptations: [],
    checksSchema: false,
    warnings: [],
    prompt: undefined,
  };
}

/** A message of a draft, and where it comes from. */
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

/** The draft with only those of its messages that are at these indexes. */
export function keepMessages(draft: Draft, indexes: readonly number[]): Draft {
  const all = draftMessages(draft);
  return withMessages(
    draft,
    indexes.flatMap((index) => all[index] ?? []),
  );
}

/** A part of a message of a draft, and the caller's parts whose text it has. */
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

/** Adds adaptations whose fields are the caller's. */
export function adapt(draft: Draft, adaptations: readonly Adaptation[]): Draft {
  const added = adaptations.map((adaptation) => ({ ...adaptation, callersField: adaptation.field }));
  return { ...draft, adaptations: [...draft.adaptations, ...added] };
}

/** Adds adaptations that were found on the request as it goes out. */
export function adaptOutgoing(draft: Draft, adaptations: readonly Adaptation[]): Draft {
  const added = adaptations.map((adaptation) => ({
    ...adaptation,
    callersField: callersField(draft.origins, adaptation.field),
  }));
  return { ...draft, adaptations: [...draft.adaptations, ...added] };
}
