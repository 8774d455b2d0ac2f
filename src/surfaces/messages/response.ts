import type { ChatEvent } from "../../chat/stream/events.ts";
import type { ChatCompletion, Choice } from "../../gen/dragoman/v1/completion_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { ChatCompleted, ChatStarted, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { fromJsonText } from "../kit/json-values.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import { asObject, type IsClaude } from "./claude.ts";
import { ContentStream } from "./content-stream.ts";
import { joinBlocks } from "./join-blocks.ts";
import { toStopReason } from "./stop-reason.ts";
import { noUsage, toTotals, toUsage } from "./usage.ts";

/** Translates a whole response to a `message` object. */
export function toMessage(completion: ChatCompletion, isClaude: IsClaude): object {
  const [choice] = completion.choices;
  const content = new ContentStream(isClaude);
  const events = (choice?.message?.parts ?? []).flatMap((part, index) =>
    deltasOf(part, index).flatMap((delta) => content.add(delta)),
  );
  events.push(...content.end(choice?.sources ?? []));
  const { container, ...facts } = factsOf(completion, choice?.providerMetadataJson ?? "", isClaude);
  return {
    ...envelope(completion),
    content: joinBlocks(events),
    ...(choice && endOf(choice)),
    container,
    ...facts,
    usage: toUsage(completion.usage, completion.serviceTier),
  };
}

/** Makes the translator of one stream. */
export function createMessageEvents(isClaude: IsClaude): (event: ChatEvent) => readonly ServerSentEvent[] {
  const content = new ContentStream(isClaude);
  let started: Pick<ChatStarted, "provider"> = { provider: "" };
  let end: object = {};
  let metadataJson = "";
  return (event) => {
    switch (event.case) {
      case "started":
        started = event.value;
        return [named(beginOf(event.value))];
      case "delta":
        return content.add(event.value).map(named);
      case "finished":
        end = endOf(event.value);
        metadataJson = event.value.providerMetadataJson;
        return content.end(event.value.sources).map(named);
      case "completed":
        return lastOf({ ...event.value, ...started }, end, metadataJson, isClaude).map(named);
      default:
        return event satisfies never;
    }
  };
}

function named(data: { readonly type: string }): ServerSentEvent {
  return { event: data.type, data };
}

function envelope({ id, model }: Pick<ChatCompletion, "id" | "model">): object {
  return { id: id.replace(/^chatcmpl-/, "msg_"), type: "message", role: "assistant", model };
}

function beginOf(started: ChatStarted) {
  const nothing = { stop_reason: null, stop_sequence: null, stop_details: null, container: null, diagnostics: null };
  const message = { ...envelope(started), content: [], ...nothing, usage: noUsage };
  return { type: "message_start", message };
}

function lastOf(
  completed: ChatCompleted & Pick<ChatStarted, "provider">,
  end: object,
  metadataJson: string,
  isClaude: IsClaude,
) {
  const { stop_details, container, diagnostics: _, ...facts } = factsOf(completed, metadataJson, isClaude);
  const delta = { ...end, stop_details, container };
  return [
    { type: "message_delta", delta, usage: toTotals(completed.usage), ...facts },
    { type: "message_stop" },
  ] as const;
}

function endOf(choice: Pick<Choice, "finishReason" | "providerFinishReason" | "matchedStopSequence">): object {
  return { stop_reason: toStopReason(choice), stop_sequence: choice.matchedStopSequence || null };
}

/**
 * Returns the facts about a response that the contract has no fields for: those of a provider with Anthropic's API in
 * its own fields, and others in `provider_metadata`.
 */
function factsOf(
  { provider, providerMetadataJson }: Pick<ChatCompletion, "provider" | "providerMetadataJson">,
  choiceMetadataJson: string,
  isClaude: IsClaude,
) {
  const all = { ...asObject(fromJsonText(providerMetadataJson)), ...asObject(fromJsonText(choiceMetadataJson)) };
  const own = isClaude(provider) ? all : {};
  const { stop_details = null, container = null, diagnostics = null, context_management: edits, ...more } = own;
  const rest = isClaude(provider) ? more : all;
  return {
    stop_details,
    container,
    diagnostics,
    ...(edits !== undefined && { context_management: edits }),
    ...(Object.keys(rest).length > 0 && { provider_metadata: rest }),
  };
}

/** Returns the deltas of a whole part. */
function deltasOf({ kind, providerState, citations }: Part, partIndex: number): readonly PartDelta[] {
  const place = { $typeName: "dragoman.v1.PartDelta", choiceIndex: 0, partIndex } as const;
  // A model returns no results of the caller's tools and no search results.
  if (kind.case === "toolResult" || kind.case === "searchResult") return [];
  return [
    { ...place, delta: kind, ...(providerState && { providerState }) },
    ...citations.map((value) => ({ ...place, delta: { case: "citation", value } as const })),
  ];
}
