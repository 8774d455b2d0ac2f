import { type JsonObject, toJsonString } from "@bufbuild/protobuf";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { EmbedRequestSchema } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { embedRequest } from "../support/embedding.ts";
import { ask, scriptEcho } from "../support/requests.ts";

const deltas = ["so ", "far"];

/** Creates a request body in protobuf's JSON format. The provider `echo` plays `script`. */
export function body(script: JsonObject, more: Parameters<typeof scriptEcho>[1] = {}): string {
  return `{"chat":${toJsonString(ChatRequestSchema, scriptEcho(script, more))}}`;
}

export const embeddedRequest = embedRequest("echo/embed", ["one two", [1, 2]], { dimensions: 4 });
export const countedChat = ask("echo/echo", "one two three");

/** Request bodies for clients that send JSON. */
export const bodies = {
  greeting: body({ deltas: ["Bon", "jour ", "tout le ", "monde 🌍"] }),
  /** Sends two deltas, then stalls. */
  stall: body({ deltas, stall: { after: 2 } }),
  /** Fails with a provider rate limit, see expectRateLimit. */
  limited: body({ fail: { reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1500, http_status: 429 } }),
  invalid: body({}, { parameters: { temperature: 3, n: 0 } }),
  /** For Embed. */
  embedded: toJsonString(EmbedRequestSchema, embeddedRequest),
  /** For CountTokens. */
  counted: `{"chat":${toJsonString(ChatRequestSchema, countedChat)}}`,
} as const;

/** Parses the output of a client that prints each message as indented JSON. */
export function readMessages(output: string): readonly StreamedMessage[] {
  return output.split(/(?<=^\}$)/m).flatMap((text) => (text.trim() === "" ? [] : [JSON.parse(text)]));
}

/** Fields of a StreamChatResponse that these tests check. */
export interface StreamedMessage {
  readonly delta?: { readonly text: string };
  readonly seq?: number;
}

/** Returns the event cases in order. */
export function eventsOf(messages: readonly StreamedMessage[]): readonly string[] {
  return messages.flatMap(({ seq: _, ...event }) => Object.keys(event));
}

export function textOf(messages: readonly StreamedMessage[]): string {
  return messages.map(({ delta }) => delta?.text ?? "").join("");
}
