import type { ServerResponse } from "node:http";
import type { Call } from "../../calls/call.ts";
import type { ChatEvent } from "../../chat/stream/events.ts";
import { createFold } from "../../chat/stream/fold.ts";
import { drained } from "../../drained.ts";
import type { GatewayError } from "../../errors.ts";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import { httpHeadersOf } from "./http-status.ts";
import { formatEvent } from "./server-sent-event.ts";
import { SilenceTimer } from "./silence-timer.ts";
import type { SurfaceError, Translated } from "./surface.ts";
import { formatWarnings, warningsHeader } from "./warnings.ts";

/** Where the events of a call go. */
export interface Sink {
  /** Waits, where it returns a promise, until the client has read enough to go on. */
  take(event: ChatEvent): Promise<void> | undefined;
  /** To be called once the call has succeeded. */
  end(): void;
  /** To be called when the call is over, whatever its outcome. */
  stop(): void;
}

/** Sends the answer as one JSON value. */
export function createWholeSink(response: ServerResponse, translated: Translated): Sink {
  const fold = createFold();
  let body = Buffer.alloc(0);
  return {
    take(event) {
      fold.add(event);
      // While the call goes on, so that what cannot be translated is its failure.
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

/** How a stream of server-sent events is sent. */
interface StreamOptions {
  readonly endsWithDone: boolean;
  /** Longest wait for the first output before the headers are sent, in milliseconds. */
  readonly headersAfterMs: number;
}

/**
 * Sends the answer as server-sent events. Until the first output nothing is sent, so that a failure up to then is a
 * status (seed 003; the clients of the other APIs try again only after a status); but no longer than `headersAfterMs`:
 * clients and proxies give silent connections up. From then on comments fill the silence.
 *
 * Warnings that are known with the headers are a header; later ones are a comment, which readers of the format skip.
 */
export function createStreamSink(
  response: ServerResponse,
  translated: Translated,
  { endsWithDone, headersAfterMs }: StreamOptions,
  { id, signal }: Call,
): Sink {
  const translate = translated.createStream();
  let held = "";
  let warnings: readonly Warning[] = [];
  const silence = new SilenceTimer(headersAfterMs, () => {
    open();
    response.write(": waiting\n\n");
  });

  function open(): void {
    if (response.headersSent) return;
    setWarnings(response, warnings);
    const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
    // nginx would keep events back to send them together.
    response.writeHead(200, { ...headers, "x-accel-buffering": "no" });
  }

  /** The comment with warnings that came too late for the headers. */
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
  return Buffer.from(JSON.stringify(value));
}

function sendBody(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

function setWarnings(response: ServerResponse, warnings: readonly Warning[]): void {
  const formatted = formatWarnings(warnings);
  if (formatted !== undefined) response.setHeader(warningsHeader, formatted);
}
