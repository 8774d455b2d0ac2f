import type { Limitation } from "../../chat/limitations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/message_pb.js";
import { type MediaForm, mediaForm } from "./media.ts";
import type { Quirks } from "./quirks.ts";

/** What a server cannot take of a conversation. */
export function* messageLimitations({ messages, tools }: ChatRequest, quirks: Quirks): Generator<Limitation> {
  let hinted = tools.some(({ cacheHint }) => cacheHint !== undefined);
  for (const [index, { parts }] of messages.entries()) {
    for (const [partIndex, { kind, cacheHint }] of parts.entries()) {
      const field = `messages[${index}].parts[${partIndex}]`;
      hinted ||= cacheHint !== undefined;
      if (kind.case === "media") {
        const message = mediaProblem(kind.value, quirks);
        if (message !== undefined) yield { kind: "REFUSED", field: `${field}.media`, message };
      } else if (kind.case === "toolResult" && kind.value.parts.some((part) => part.kind.case === "media")) {
        const message = `${quirks.title} takes only text as the result of a tool`;
        yield { kind: "REFUSED", field: `${field}.tool_result`, message };
      }
    }
  }
  if (hinted) {
    const message = `${quirks.title} caches prompts without being asked: cache hints are left out`;
    yield { kind: "EMULATED", field: "messages", message };
  }
}

const lacks = {
  image: "takes no images",
  image_url: "takes no images by address",
  audio: "takes no sounds",
  file: "takes no documents",
} as const satisfies Record<MediaForm, string>;

function mediaProblem(given: Media, { title, media }: Quirks): string | undefined {
  const form = mediaForm(given);
  if (form === "other") {
    return `${title} does not take this: send an image as bytes or by http address, a WAV or MP3 sound or a PDF as bytes`;
  }
  return media.includes(form) ? undefined : `${title} ${lacks[form]}`;
}
