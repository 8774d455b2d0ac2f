import { type ChildLoggerOptions, type DestinationStream, destination, pino, stdTimeFunctions } from "pino";
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";

interface Write {
  /** An error goes under `err`. */
  (facts: Readonly<Record<string, unknown>>, message: string): void;
  (message: string): void;
}

/** Writes JSON lines. A part of pino's Logger, without the ways past the hiding of secrets: bare errors, bound facts. */
export interface Log {
  readonly level: string;
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  child(bindings: Record<string, never>, options: ChildLoggerOptions): Log;
  /** Calls back when everything up to now is written. */
  flush(done?: (error?: Error) => void): void;
}

/** Facts with these names may hold secrets or prompt text. They are hidden at any depth. */
const hidden = new Set([
  "api_key",
  "apiKey",
  "authorization",
  "body",
  "content",
  "headers",
  "messages",
  "parts",
  "prompt",
  "request",
  "response",
  "text",
  "x-api-key",
]);

// Facts are not deep, but may by mistake be circular.
const deepest = 5;

// Lines are written together: one system call for each would cost as much as the rest of a small call. What is held
// when the process is killed is lost.
const flushBytes = 4096;
const flushMs = 100;

// What a reader that stalls can cost: beyond it lines are lost rather than memory.
const maxBufferedBytes = 64 * 2 ** 20;

/**
 * Makes the log of the service. Lines are written without waiting for the reader; those still there at the exit of the
 * process are written then.
 *
 * @param stream where the lines go; default: standard output
 */
export function createLog(level: Config["log"]["level"], stream?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    // Not pino's `redact`: with these names at two levels it made a line of a call's size cost five times as much.
    formatters: { level: (label: string) => ({ level: label }), log: (facts: object) => hideFacts(facts) },
    // The formatter has described it already, and pino's own serializer would do it anew.
    serializers: { err: (described: unknown) => described },
  };
  return pino(
    options,
    stream ??
      destination({ dest: 1, sync: false, minLength: flushBytes, periodicFlush: flushMs, maxLength: maxBufferedBytes }),
  );
}

function hideFacts(facts: object, depth = 0): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (hidden.has(name) || depth > deepest) shown[name] = "[hidden]";
    else shown[name] = typeof value === "object" ? hide(value, depth + 1) : value;
  }
  return shown;
}

function hide(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => hide(item, depth));
  if (value instanceof Error) return hideFacts(describeError(value), depth);
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? hideFacts(value, depth) : value;
}

/** Only chosen properties: GatewayError.facts, for one, can hold what a model wrote. */
function describeError(error: Error): Record<string, unknown> {
  return {
    type: error.name,
    reason: error instanceof GatewayError ? error.reason : undefined,
    code: "code" in error ? error.code : undefined,
    // JSON.parse quotes what it could not read.
    message: error instanceof SyntaxError ? "[hidden]" : error.message,
    stack: error.stack?.match(/^ {4}at .+$/gm)?.join("\n"),
    cause: error.cause instanceof Error ? error.cause : undefined,
  };
}
