import { fromBinary } from "@bufbuild/protobuf";
import { StreamChatResponseSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";

/** Length-prefixed message of gRPC, gRPC-Web and Connect streams. */
export interface Envelope {
  readonly flags: number;
  readonly message: Buffer;
}

const prefix = 5;

/** Splits a body into its messages. Undefined if the last one is incomplete. */
export function readEnvelopes(body: Buffer): readonly Envelope[] | undefined {
  const envelopes: Envelope[] = [];
  let at = 0;
  while (at < body.length) {
    if (body.length < at + prefix) return undefined;
    const end = at + prefix + body.readUInt32BE(at + 1);
    if (body.length < end) return undefined;
    envelopes.push({ flags: body[at] ?? 0, message: body.subarray(at + prefix, end) });
    at = end;
  }
  return envelopes;
}

/** Returns what is wrong with the messages of a response. */
export function messagesProblem(path: string, messages: readonly Buffer[], ok: boolean): string | undefined {
  if (!path.endsWith("/StreamChat")) {
    const expected = ok ? 1 : 0;
    return messages.length === expected ? undefined : `${messages.length} messages instead of ${expected}`;
  }
  const events = messages.map((message) => fromBinary(StreamChatResponseSchema, message).event.case);
  const isComplete = events.at(-1) === "completed";
  if (isComplete !== ok) return `a stream ends with ${events.at(-1)}, and its status is ${ok ? "ok" : "an error"}`;
  if (events.length > 0 && events.indexOf("started") !== 0) return `a stream starts with ${events[0]}`;
  if (events.lastIndexOf("started") > 0 || events.indexOf("completed") < events.lastIndexOf("completed")) {
    return "a stream starts or ends twice";
  }
  return undefined;
}
