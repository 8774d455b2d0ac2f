import { create } from "@bufbuild/protobuf";
import type { ChatEvent } from "../../chat/stream/events.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { type Warning, WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";
import { continuesMedia, shownMedia } from "./shown-media.ts";
import type { ChatSurface } from "./surface.ts";

/** Content of a response that the HTTP APIs have no field for; `reasoning`: only some of them. */
const names = {
  reasoning: "reasoning",
  media: "media",
  serverToolCall: "calls of the provider's tools",
  serverToolResult: "results of the provider's tools",
  citation: "citations",
  sources: "sources",
  metadata: "metadata of the provider",
} as const;

type Content = keyof typeof names;

type Shown = Pick<ChatSurface, "omitsReasoning" | "showsSources" | "showsCitations" | "showsMedia" | "shows">;

/**
 * Creates a function that adds a warning to the event `completed` for each kind of content in the events before it that
 * the API has no field for. It returns all other events unchanged.
 */
export function createLeftOut({
  omitsReasoning = false,
  showsSources = false,
  showsCitations = false,
  showsMedia = false,
  shows,
}: Shown): (event: ChatEvent) => ChatEvent {
  const found = new Set<Content>();
  const isShownCitation = ({ source }: Citation): boolean =>
    source.case === "url" ? showsSources : showsCitations && source.case !== undefined;
  return (event) => {
    switch (event.case) {
      case "started":
        return event;
      case "delta": {
        const { delta } = event.value;
        const isShown =
          (delta.case === "citation" && isShownCitation(delta.value)) ||
          (showsMedia && delta.case === "media" && isShownMedia(delta.value)) ||
          shows?.(delta);
        const content = isShown ? undefined : contentOf(delta);
        if (content !== undefined && (content !== "reasoning" || omitsReasoning)) found.add(content);
        return event;
      }
      case "finished":
        if (!event.value.sources.every(isShownCitation)) found.add("sources");
        if (!showsSources && event.value.providerMetadataJson !== "") found.add("metadata");
        return event;
      case "completed": {
        if (!showsSources && event.value.providerMetadataJson !== "") found.add("metadata");
        if (found.size === 0) return event;
        return {
          ...event,
          value: { ...event.value, warnings: [...event.value.warnings, ...[...found].map(warningOf)] },
        };
      }
      default:
        return event satisfies never;
    }
  };
}

function isShownMedia(media: Media): boolean {
  return continuesMedia(media) || shownMedia(media) !== undefined;
}

function contentOf({ case: kind, value }: PartDelta["delta"]): Content | undefined {
  switch (kind) {
    case "reasoning":
      return value.text === "" ? undefined : kind;
    case "media":
    case "serverToolCall":
    case "serverToolResult":
    case "citation":
      return kind;
    case "text":
    case "toolCall":
    case "refusal":
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}

function warningOf(content: Content): Warning {
  const message = `the response has ${names[content]}, for which this API has no field; use gRPC or Connect to receive all`;
  return create(WarningSchema, { reason: "LEFT_OUT", message });
}
