import { type JsonObject, toJsonString } from "@bufbuild/protobuf";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { scriptEcho } from "../support/requests.ts";

const deltas = ["so ", "far"];

/** A request body in protobuf's JSON that tells echo what to do. */
export function body(script: JsonObject, more: Parameters<typeof scriptEcho>[1] = {}): string {
  return `{"chat":${toJsonString(ChatRequestSchema, scriptEcho(script, more))}}`;
}

/** Bodies for clients that take JSON. */
export const bodies = {
  greeting: body({ deltas: ["Bon", "jour ", "tout le ", "monde 🌍"] }),
  /** Says two deltas, then nothing more. */
  stall: body({ deltas, stall: { after: 2 } }),
  /** A rate limit of the provider, see expectRateLimit. */
  limited: body({ fail: { reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1500, http_status: 429 } }),
  invalid: body({}, { parameters: { temperature: 3, n: 0 } }),
} as const;

/** The messages of a client that prints them one after another, each as indented JSON. */
export function readMessages(output: string): readonly StreamedMessage[] {
  return output.split(/(?<=^\}$)/m).flatMap((text) => (text.trim() === "" ? [] : [JSON.parse(text)]));
}

/** What these tests look at in a StreamChatResponse. */
export interface StreamedMessage {
  readonly delta?: { readonly text: string };
}

/** The cases of the events, in order. */
export function eventsOf(messages: readonly StreamedMessage[]): readonly string[] {
  return messages.flatMap(Object.keys);
}

export function textOf(messages: readonly StreamedMessage[]): string {
  return messages.map(({ delta }) => delta?.text ?? "").join("");
}
