import { create } from "@bufbuild/protobuf";
import { invalidRequest, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import {
  type Part,
  Role,
  type ServerToolCall,
  type ServerToolResult,
  type ToolCall,
  type ToolResult,
  type ToolResultPart,
  ToolResultPartSchema,
} from "../../gen/dragoman/v1/message_pb.js";
import { isJson, isJsonObject, isShallow } from "../validation/request-rules.ts";
import { type Adaptation, lostHint } from "./adaptations.ts";
import { adaptOutgoing, type Draft, draftMessages, draftParts, withMessages, withParts } from "./draft.ts";
import { isForeign } from "./drop-foreign-state.ts";
import { mediaKind } from "./media-kind.ts";
import type { PlanningContext } from "./planning-context.ts";
import { searchResultText } from "./search-result-text.ts";

type Context = Pick<PlanningContext, "model" | "dialect" | "accepts">;

/**
 * Replaces content that the adapter does not send with text, or leaves it out: search results, output of a model that
 * has no place in the provider's API, JSON of a model that is cut off or too deep, and parts of assistant messages
 * whose kind this version does not know.
 *
 * Runs after `keepLastMessages`, which counts the caller's messages, and before the steps that drop provider state,
 * which shows who made a part, and that count tokens.
 */
export function fitContent(draft: Draft, context: Context): Draft {
  const { messages } = draft.request;
  const isFit = messages.every(
    ({ role, parts }) => parts.length > 0 && parts.every((part) => fits(part, role, context)),
  );
  if (isFit) return draft;
  const changes = new Changes();
  const fitted = draftMessages(draft).flatMap((entry, index) => {
    const { role, parts } = entry.message;
    if (parts.length === 0) {
      changes.leaveOut(["messages", index], "the message has no parts; it is not sent");
      return [];
    }
    const kept = draftParts(entry).flatMap(({ part, origin }, place) => {
      const path = ["messages", index, "parts", place];
      const next = fits(part, role, context) ? part : fitPart(part, role, { context, path, place, changes });
      if (next === undefined && part.cacheHint !== undefined) changes.add(lostHint(path, "the part is not sent"));
      return next === undefined ? [] : [{ part: next, origin }];
    });
    return kept.length > 0 ? [withParts(entry, kept)] : [];
  });
  if (fitted.length === 0) {
    throw invalidRequest([
      { field: ["messages"], description: "has no content that can be sent to the model; add a user message" },
    ]);
  }
  return withMessages(adaptOutgoing(draft, changes.adaptations), fitted);
}

/** Whether a part can be sent unchanged. */
function fits({ kind, citations, providerState }: Part, role: Role, context: Context): boolean {
  const { accepts } = context;
  if (citations.length > 0 && !accepts.has("citations")) return false;
  if (citations.some((citation) => isForeign(citation.providerState, context))) return false;
  switch (kind.case) {
    case undefined:
      return false;
    case "serverToolCall":
    case "serverToolResult":
      return whyLeftOut(kind.value, providerState, context) === undefined;
    case "searchResult":
      return accepts.has("search_results");
    case "toolResult":
      return kind.value.parts.every((inner) => takesInner(inner.kind.case, context));
    case "media":
      return role !== Role.ASSISTANT || whyMediaUnfit(kind.value, context) === undefined;
    case "toolCall":
      return accepts.has("raw_arguments") || hasArguments(kind.value);
    default:
      return true;
  }
}

function takesInner(kind: ToolResultPart["kind"]["case"], { accepts }: Context): boolean {
  if (kind === "searchResult") return accepts.has("search_results");
  return kind !== "toolReference" || accepts.has("tool_references");
}

const inputs = { image: "imageInput", audio: "audioInput", document: "documentInput" } as const;

/** Returns why media in an assistant message cannot be sent, or undefined. */
function whyMediaUnfit(media: Media, { model, accepts }: Context): string | undefined {
  const what = media.transcript === "" ? "media" : "audio";
  if (!accepts.has("output_media")) return `Dragoman cannot send ${what} of the model to ${model.provider}`;
  const kind = mediaKind(media);
  if (kind === undefined || kind === "video" || model.capabilities?.[inputs[kind]] !== false) return undefined;
  return `${model.id} does not support ${kind} input`;
}

/** Whether the arguments of a tool call are a JSON object, as many APIs require. A model can write other text. */
function hasArguments({ argumentsJson }: ToolCall): boolean {
  return argumentsJson === "" || argumentsJson === "{}" || (isShallow(argumentsJson) && isJsonObject(argumentsJson));
}

/** Returns why a server tool part cannot be sent, or undefined. The output limit can cut off its JSON. */
function whyLeftOut(
  value: ServerToolCall | ServerToolResult,
  state: Part["providerState"],
  context: Context,
): string | undefined {
  if (!context.accepts.has("server_tools")) return `Dragoman cannot send it to ${context.model.provider}`;
  if (isForeign(state, context)) return "another provider or model made this part";
  const json = "inputJson" in value ? value.inputJson : value.outputJson;
  return json === "" || isJson(json) ? undefined : "its JSON is cut off or too deep";
}

interface Place {
  readonly context: Context;
  readonly path: FieldPath;
  /** Index of the part in its message. */
  readonly place: number;
  readonly changes: Changes;
}

/** Returns what to send for a part that cannot be sent unchanged. Undefined: nothing. */
function fitPart({ citations, ...part }: Part, role: Role, at: Place): Part | undefined {
  const { context, path, changes } = at;
  const { provider } = context.model;
  const kept = context.accepts.has("citations")
    ? citations.filter((citation) => !isForeign(citation.providerState, context))
    : [];
  const kind = fitKind(part, role, at);
  if (kind === undefined) return undefined;
  if (kept.length < citations.length) {
    const message = context.accepts.has("citations")
      ? "another provider or model made these citations; they are not sent"
      : `Dragoman cannot send citations to ${provider}; they are not sent`;
    changes.once("LEFT_OUT", [...path, "citations"], message);
  }
  return { ...part, kind, citations: kept };
}

function fitKind(
  { kind, providerState }: Pick<Part, "kind" | "providerState">,
  role: Role,
  { context, path, place, changes }: Place,
): Part["kind"] | undefined {
  const {
    model: { provider },
    accepts,
  } = context;
  switch (kind.case) {
    case undefined:
      changes.leaveOut(path, "the part has no kind that this version knows; it is not sent");
      return undefined;
    case "serverToolCall":
    case "serverToolResult": {
      const reason = whyLeftOut(kind.value, providerState, context);
      if (reason === undefined) return kind;
      changes.leaveOut(path, `${reason}; it is not sent`);
      return undefined;
    }
    case "media": {
      const reason = role === Role.ASSISTANT ? whyMediaUnfit(kind.value, context) : undefined;
      if (reason === undefined) return kind;
      if (kind.value.transcript !== "") {
        changes.once("EMULATED", path, `${reason}; the transcript is sent`);
        return { case: "text", value: kind.value.transcript };
      }
      changes.leaveOut(path, `${reason}; put it into a user message`);
      return undefined;
    }
    case "searchResult":
      if (accepts.has("search_results")) return kind;
      changes.searchResult(path, provider);
      return { case: "text", value: searchResultText(kind.value, place) };
    case "toolCall": {
      if (accepts.has("raw_arguments") || hasArguments(kind.value)) return kind;
      const text = kind.value.argumentsJson;
      const field = [...path, "tool_call", "arguments_json"];
      const isNone = text.trim() === "" || text.trim() === "null";
      const form = isNone ? "an empty object" : "the text in invalid_arguments";
      const argumentsJson = isNone ? "{}" : JSON.stringify({ invalid_arguments: text });
      changes.once(
        "EMULATED",
        field,
        `arguments that are no JSON object of at most 128 levels are sent to ${provider} as ${form}`,
      );
      return { case: "toolCall", value: { ...kind.value, argumentsJson } };
    }
    case "toolResult":
      return { case: "toolResult", value: withTexts(kind.value, { context, path, changes }) };
    default:
      return kind;
  }
}

/** Returns a tool result with texts in place of what the adapter does not send. */
function withTexts(result: ToolResult, { context, path, changes }: Omit<Place, "place">): ToolResult {
  const { provider } = context.model;
  const text = (value: string) => create(ToolResultPartSchema, { kind: { case: "text", value } });
  const parts = result.parts.map((part, index) => {
    const { kind } = part;
    const field = [...path, "tool_result", "parts", index];
    if (takesInner(kind.case, context)) return part;
    if (kind.case === "searchResult") {
      changes.searchResult(field, provider);
      return text(searchResultText(kind.value, index));
    }
    if (kind.case !== "toolReference") return part;
    const message = `Dragoman cannot send references to tools to ${provider}; the name is sent as text`;
    changes.once("EMULATED", field, message);
    return text(`${index > 0 ? "\n" : ""}found the tool ${kind.value.toolName}`);
  });
  return { ...result, parts };
}

/** Collects adaptations with paths in the outgoing request. */
class Changes {
  readonly #adaptations: Adaptation[] = [];
  readonly #reported = new Set<string>();
  #leftOut = 0;
  #added = 0;

  /** Reports a part or message that is not sent. */
  leaveOut(field: FieldPath, message: string): void {
    if (++this.#leftOut <= mostViolations) this.#adaptations.push({ kind: "LEFT_OUT", field, message });
  }

  add(adaptation: Adaptation): void {
    if (this.#added++ < mostViolations) this.#adaptations.push(adaptation);
  }

  /** Reports a change at its first place in the request. */
  once(kind: "EMULATED" | "LEFT_OUT", field: FieldPath, message: string): void {
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#adaptations.push({ kind, field, message });
  }

  searchResult(field: FieldPath, provider: string): void {
    const message = `Dragoman cannot send search results to ${provider}; source, title and texts are sent as text`;
    this.once("EMULATED", field, message);
  }

  get adaptations(): readonly Adaptation[] {
    const more = this.#leftOut - mostViolations;
    if (more <= 0) return this.#adaptations;
    const message = `${more} more parts or messages are not sent, for reasons like those above`;
    return [...this.#adaptations, { kind: "LEFT_OUT", field: ["messages"], message }];
  }
}
