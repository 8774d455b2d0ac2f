import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { hasFunctions } from "../../chat/planning/function-tools.ts";
import { mediaIn, partsOf } from "../../chat/planning/parts.ts";
import { searchResultText } from "../../chat/planning/search-result-text.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, type Part, Role, type SearchResult } from "../../gen/dragoman/v1/message_pb.js";
import { emulated } from "../kit/adaptations.ts";
import type { WireDocument } from "./wire.ts";

/** Text document, as Cohere's `documents` take it. */
type TextDocument = Media & { readonly source: { readonly case: "data" } };

/** Whether media is a document of plain text. */
export function isTextDocument(media: Media): media is TextDocument {
  return media.source.case === "data" && /^text\//i.test(media.mediaType);
}

/**
 * Whether search results and text documents of user messages become `documents`, which the model cites. Cohere does not
 * support documents together with JSON output; with tools, their place is in the tool results.
 */
function takesDocuments(request: ChatRequest): boolean {
  const format = request.outputFormat?.format.case;
  return !hasFunctions(request) && format !== "jsonObject" && format !== "jsonSchema";
}

/** Returns the document of a part of a user message. Undefined for other parts. */
function toDocument({ kind }: Part): WireDocument | undefined {
  if (kind.case === "searchResult") return searchDocument(kind.value);
  if (kind.case !== "media" || !isTextDocument(kind.value)) return undefined;
  const { filename, source } = kind.value;
  return { data: { ...(filename && { title: filename }), text: Buffer.from(source.value).toString() } };
}

/** Converts a search result. Cohere passes the names of the fields to the model too. */
export function searchDocument({ source, title, texts }: SearchResult): WireDocument {
  return { data: { ...(title && { title }), url: source, text: texts.join("\n\n") } };
}

/** Returns the text of a part that cannot be one of the `documents`. Undefined for other parts. */
export function documentText({ kind }: Part, place: number): string | undefined {
  if (kind.case === "searchResult") return searchResultText(kind.value, place);
  if (kind.case !== "media" || !isTextDocument(kind.value)) return undefined;
  const { filename, source } = kind.value;
  return `${place > 0 ? "\n\n" : ""}${filename && `${filename}\n\n`}${Buffer.from(source.value).toString()}\n\n`;
}

/** Divides a user message into its documents and its other parts. A message of documents only stays as it is. */
function divide({ role, parts }: Message): { readonly documents: readonly WireDocument[]; readonly rest: Part[] } {
  const rest = parts.filter((part) => toDocument(part) === undefined);
  if (role !== Role.USER || rest.length === 0) return { documents: [], rest: parts };
  return { documents: parts.flatMap((part) => toDocument(part) ?? []), rest };
}

/** Moves the documents out of the user messages. */
export function placeDocuments(request: ChatRequest): {
  readonly documents: readonly WireDocument[];
  readonly messages: readonly Message[];
} {
  const { messages } = request;
  const hasAny = messages.some(({ role, parts }) => role === Role.USER && parts.some(toDocument));
  if (!hasAny || !takesDocuments(request)) return { documents: [], messages };
  const divided = messages.map((message) => ({ message, ...divide(message) }));
  return {
    documents: divided.flatMap(({ documents }) => documents),
    messages: divided.map(({ message, rest }) => (rest === message.parts ? message : { ...message, parts: rest })),
  };
}

/** Whether the request has content that the model should cite: `documents`, or search results of tools. */
export function wantsCitations({ messages }: ChatRequest): boolean {
  return partsOf(messages).some(
    ({ part: { kind } }) =>
      kind.case === "toolResult" && kind.value.parts.some((inner) => inner.kind.case === "searchResult"),
  );
}

/** Reports the documents that are sent as text, and documents that are cited although the caller excluded it. */
export function* documentAdaptations(request: ChatRequest): Generator<Adaptation> {
  const sent = takesDocuments(request);
  const texts = partsOf(request.messages).find(
    ({ message, part }) =>
      message.role === Role.USER &&
      toDocument(part) !== undefined &&
      !(sent && message.parts.some((other) => toDocument(other) === undefined)),
  );
  if (texts !== undefined) {
    const reason = sent ? "beside other content of the message" : "without tools and JSON output";
    yield emulated(texts.path, `Cohere supports documents only ${reason}; this one is sent as text`);
  }
  const citable = partsOf(request.messages)
    .flatMap(mediaIn)
    .find(({ media }) => media.citable === true && (!sent || !isTextDocument(media)));
  if (citable === undefined) return;
  yield emulated(
    [...citable.path, "citable"],
    "Cohere cites only documents of plain text, without tools or JSON output",
  );
}
