import type { z } from "zod";
import type { ChatEvent } from "../../chat/events.ts";
import type { Reason } from "../../errors.ts";
import type { UpstreamCall } from "./call.ts";
import { locateErrorIn } from "./error-body.ts";
import { callFailure, embeddedFailure } from "./errors.ts";
import type { UpstreamResponse } from "./response.ts";
import { EventReader, type ServerSentEvent } from "./sse.ts";

/** How a dialect reads an answer that comes as server-sent events. */
export interface AnswerReader {
  /** Appends what an event means to a batch. True: it was the last one. */
  read(event: ServerSentEvent, batch: ChatEvent[]): boolean;
  /** Appends what is left when the body ends without a last event. Throws when the answer is not whole. */
  end(batch: ChatEvent[]): void;
}

/** The events of a streamed answer, one batch for each read. What came before a failure in the same read is handed on. */
export async function* readAnswer(
  response: UpstreamResponse,
  call: UpstreamCall,
  reader: AnswerReader,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
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

/** The failure of an answer that ended before it was whole. */
export function cutAnswer(call: UpstreamCall) {
  return callFailure("PROVIDER_STREAM_INTERRUPTED", "the provider's answer ended before it was whole: try again", call);
}
