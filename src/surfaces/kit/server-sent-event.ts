import { encodeJson } from "./encode-json.ts";

/** One server-sent event of a stream. */
export interface ServerSentEvent {
  /** Name of the event. Unset: the event has no name. */
  readonly event?: string;
  /** The JSON value of the event. */
  readonly data: unknown;
}

/** Formats a server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function formatEvent({ event, data }: ServerSentEvent): string {
  const line = `data: ${encodeJson(data)}\n\n`;
  return event === undefined ? line : `event: ${event}\n${line}`;
}
