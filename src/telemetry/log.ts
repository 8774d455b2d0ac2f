import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { openStandardStream } from "./standard-stream.ts";

interface Write {
  /** Pass an error as the field `err`. */
  (fields: Readonly<Record<string, unknown>>, message: string): void;
  (message: string): void;
}

/**
 * Writes JSON lines. A subset of pino's Logger: no error as the first argument and no `child`. Pino would not pass these
 * through the formatter that hides secrets.
 */
export interface Log {
  /** Can be changed. */
  level: string;
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /**
   * Writes a line at every log level except `silent`. The fields must hold no secret and no error: nothing is hidden.
   * It takes half of the time of a line by pino.
   */
  record(level: "info" | "warn" | "error", fields: object, message: string): void;
}

/** Fields that may hold secrets or prompt text. The log hides their values at any depth. */
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

// Levels of nested fields to log; deeper values are hidden. Limits the output if a value is circular by mistake.
const maxDepth = 5;

/**
 * Opens standard output for the log. Writing does not wait for the reader.
 *
 * @param report Reports that the log cannot be written or lost lines.
 */
export function openLogOutput(maxBytes: number, report: (problem: string) => void): OutputBuffer {
  const lossLine = (lost: number): string =>
    `${JSON.stringify({ level: "warn", time: new Date().toISOString(), lost, msg: "log lines were lost" })}\n`;
  return new OutputBuffer(openStandardStream(1), { maxBytes, lossLine, report });
}

/**
 * Creates the log of the service.
 *
 * @param worker number of this process among the workers, for each line. Default: there are no workers
 */
export function createLog(level: Config["log"]["level"], stream: DestinationStream, worker?: number): Log {
  const options = {
    level,
    base: worker === undefined ? null : { worker },
    timestamp: stdTimeFunctions.isoTime,
    // Hides fields without pino's option `redact`, which made the line of a call record cost five times as much.
    formatters: { level: (label: string) => ({ level: label }), log: (fields: object) => hideFields(fields) },
    // Turns off pino's error serializer, since the formatter has already serialized the error.
    serializers: { err: (described: unknown) => described },
  };
  const log = pino(options, stream);
  const bindings = worker === undefined ? "" : `,"worker":${worker}`;
  return Object.assign(log, {
    record(lineLevel: string, fields: object, message: string): void {
      if (log.level === "silent") return;
      const time = new Date().toISOString();
      // Without the braces of the object.
      const json = JSON.stringify(fields).slice(1, -1);
      stream.write(`{"level":"${lineLevel}","time":"${time}"${bindings},${json},"msg":${JSON.stringify(message)}}\n`);
    },
  });
}

function hideFields(fields: object, depth = 0): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (hidden.has(name) || depth > maxDepth) shown[name] = "[hidden]";
    else shown[name] = typeof value === "object" ? hide(value, depth + 1) : value;
  }
  return shown;
}

function hide(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  if (value instanceof Error) return hideFields(describeError(value), depth);
  if (!Array.isArray(value)) return hideFields(value, depth);
  return depth > maxDepth ? "[hidden]" : value.map((item) => hide(item, depth + 1));
}

/** Selects safe properties only: others, such as GatewayError.facts, can contain model output. */
function describeError(error: Error): Record<string, unknown> {
  return {
    type: error.name,
    reason: error instanceof GatewayError ? error.reason : undefined,
    code: "code" in error ? error.code : undefined,
    // The address of a failed connection.
    host: "host" in error ? error.host : undefined,
    port: "port" in error ? error.port : undefined,
    // Hide the message of JSON.parse, which quotes the invalid text.
    message: error instanceof SyntaxError ? "[hidden]" : error.message,
    stack: error.stack?.match(/^ {4}at .+$/gm)?.join("\n"),
    cause: error.cause instanceof Error ? error.cause : undefined,
  };
}
