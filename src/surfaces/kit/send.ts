import type { ServerResponse } from "node:http";
import type { Call } from "../../calls/call.ts";
import type { ChatEvent } from "../../chat/stream/events.ts";
import { createFold } from "../../chat/stream/fold.ts";
import { drained } from "../../drained.ts";
import type { GatewayError } from "../../errors.ts";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import { encodeJson } from "./encode-json.ts";
import { httpHeadersOf } from "./http-status.ts";
import { formatEvent, type ServerSentEvent } from "./server-sent-event.ts";
import { SilenceTimer } from "./silence-timer.ts";
import type { SurfaceError, Translated } from "./surface.ts";
import { formatWarnings, warningsHeader } from "./warnings.ts";

/** Writes the events of a call to its HTTP response. */
export interface Sink {
  /** Handles an event. A returned promise resolves when the client has read enough to send more. */
  take(event: ChatEvent): Promise<void> | undefined;
  /** Completes the response. Call it after the call has succeeded. */
  end(): void;
  /** Releases resources. Call it when the call has ended, with any outcome. */
  stop(): void;
}

/** Makes a sink that sends the response as one JSON value. */
export function createWholeSink(response: ServerResponse, translated: Translated): Sink {
  const fold = createFold();
  let body = Buffer.alloc(0);
  return {
    take(event) {
      fold.add(event);
      // Translates before the call ends, so that a translation error fails the call.
      if (event.case === "completed") body = encode(translated.toResponse(fold.completion));
      return undefined;
    },
    end() {
      setWarnings(response, fold.completion.warnings);
      sendBody(response, 200, body);
    },
    stop() {},
  };
}

/** Options of a stream of server-sent events. */
interface StreamOptions {
  readonly endsWithDone: boolean;
  /** Event to send while there is no output. Undefined: a comment. */
  readonly ping: ServerSentEvent | undefined;
  /** Maximum wait for the first output before the headers are sent, in ms. */
  readonly headersAfterMs: number;
}

/**
 * Makes a sink that sends the response as server-sent events. It sends nothing before the first output, so that an
 * earlier failure sets the HTTP status: the Scale EGP deployments API requires this, and other APIs' clients retry only
 * after a status. After `headersAfterMs` it sends the headers and then pings, since clients and proxies close silent
 * connections.
 *
 * Warnings that exist before the headers are sent are in a header. Later warnings are in a comment, which SSE parsers
 * skip.
 */
export function createStreamSink(
  response: ServerResponse,
  translated: Translated,
  { endsWithDone, ping, headersAfterMs }: StreamOptions,
  { id, signal }: Call,
): Sink {
  const translate = translated.createStream();
  let held = "";
  let warnings: readonly Warning[] = [];
  const silence = new SilenceTimer(headersAfterMs, () => {
    open();
    response.write(ping === undefined ? ": waiting\n\n" : formatEvent(ping));
  });

  function open(): void {
    if (response.headersSent) return;
    setWarnings(response, warnings);
    const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
    // Without this header, nginx buffers events.
    response.writeHead(200, { ...headers, "x-accel-buffering": "no" });
  }

  /** Formats warnings that arise after the headers are sent, as a comment. */
  function comment(late: readonly Warning[]): string {
    const formatted = formatWarnings(late);
    return formatted === undefined ? "" : `: ${warningsHeader}: ${formatted}\n\n`;
  }

  return {
    take(event) {
      const lines = translate(event, id).map(formatEvent).join("");
      if (event.case === "started") {
        if (response.headersSent) held = comment(event.value.warnings) + lines;
        else [warnings, held] = [event.value.warnings, lines];
        return undefined;
      }
      const text = event.case === "completed" ? comment(event.value.warnings) + lines : lines;
      if (text === "") return undefined;
      open();
      silence.restart();
      const written = response.write(held + text);
      held = "";
      return written ? undefined : drained(response, signal);
    },
    end() {
      open();
      response.end(endsWithDone ? "data: [DONE]\n\n" : undefined);
    },
    stop: () => silence.stop(),
  };
}

/** Sends an error as the whole response. */
export function sendError(
  response: ServerResponse,
  error: GatewayError,
  { status, headers, body }: SurfaceError,
): void {
  if (response.destroyed) return;
  for (const [name, value] of Object.entries({ ...httpHeadersOf(error), ...headers })) response.setHeader(name, value);
  sendJson(response, status, body);
}

/** Sends a JSON value as the whole response. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendBody(response, status, encode(value));
}

function encode(value: unknown): Buffer<ArrayBuffer> {
  return Buffer.from(encodeJson(value));
}

function sendBody(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

/** Sets the header with the warnings. */
export function setWarnings(response: ServerResponse, warnings: readonly Warning[]): void {
  const formatted = formatWarnings(warnings);
  if (formatted !== undefined) response.setHeader(warningsHeader, formatted);
}
