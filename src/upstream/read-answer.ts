import type { z } from "zod";
import type { ChatEvent } from "../chat/stream/events.ts";
import type { Reason } from "../errors.ts";
import { locateErrorIn } from "./error-body.ts";
import { callFailure, embeddedFailure } from "./errors.ts";
import { readText } from "./read-text.ts";
import type { UpstreamResponse } from "./response.ts";
import { EventReader, type ServerSentEvent } from "./sse.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Bytes of an answer that comes whole instead of as a stream. */
const wholeAnswerLimit = 16 * 1024 * 1024;

/** How a dialect reads an answer. */
export interface AnswerReader {
  /** Appends what a server-sent event means to a batch. True: it was the last one. */
  read(event: ServerSentEvent, batch: ChatEvent[]): boolean;
  /** Appends what an answer that came whole, as JSON text, means. Without it every answer is read as a stream. */
  whole?(json: string, batch: ChatEvent[]): void;
  /** Appends what is left when the body ends without a last event. Throws when the answer is not complete. */
  end(batch: ChatEvent[]): void;
}

/** The events of an answer, one batch for each read. What came before a failure in the same read is handed on. */
export async function* readAnswer(
  response: UpstreamResponse,
  call: UpstreamCall,
  reader: AnswerReader,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
  if (reader.whole && isWhole(response)) {
    const batch: ChatEvent[] = [];
    reader.whole(await readWhole(response, call), batch);
    reader.end(batch);
    yield batch;
    return;
  }
  const events = new EventReader(response, call);
  for (let isDone = false; !isDone; ) {
    const arrived = await events.next();
    const batch: ChatEvent[] = [];
    let failure: unknown;
    try {
      if (arrived === undefined) reader.end(batch);
      isDone = arrived === undefined || arrived.some((event) => reader.read(event, batch));
    } catch (error) {
      failure = error;
    }
    if (batch.length > 0) yield batch;
    if (failure !== undefined) throw failure;
  }
}

/** Whether an answer is one JSON value. Some servers answer a request for a stream so, errors included. */
export function isWhole(response: UpstreamResponse): boolean {
  return response.header("content-type")?.includes("application/json") ?? false;
}

/** The JSON text of an answer that comes whole. */
export async function readWhole(response: UpstreamResponse, call: UpstreamCall): Promise<string> {
  const { text, whole } = await readText(response, wholeAnswerLimit);
  if (!whole) throw malformedAnswer(call, "it is too long");
  return text;
}

/** Reads JSON that a provider sent in an answer. Throws the error that it holds where it has another form. */
export function parseAnswer<Schema extends z.ZodType>(
  json: string,
  schema: Schema,
  call: UpstreamCall,
  codes?: Readonly<Record<string, Reason>>,
): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Without the cause: a SyntaxError quotes the text.
    throw malformedAnswer(call, "it is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const error = locateErrorIn(value);
  throw error ? embeddedFailure(error, call, codes) : malformedAnswer(call, "it has an unexpected form", parsed.error);
}

export function malformedAnswer(call: UpstreamCall, what: string, cause?: unknown) {
  const reason = call.outputStarted ? "PROVIDER_STREAM_INTERRUPTED" : "PROVIDER_FAULT";
  return callFailure(reason, `the provider's answer is malformed: ${what}`, call, { cause });
}

/** The failure of an answer whose finish reason is one. `reason` is what it means before any output. */
export function failedAnswer(call: UpstreamCall, reason: Reason, code: string) {
  const what = call.outputStarted ? "PROVIDER_STREAM_INTERRUPTED" : reason;
  return callFailure(what, "the provider failed in its answer: try again", call, { code });
}

/** The failure of an answer that ended before it was whole. */
export function cutAnswer(call: UpstreamCall) {
  return callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider's answer ended before it was whole: try again", call);
}
