import type { JsonObject } from "@bufbuild/protobuf";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { Dialect, ErrorCase } from "../dialect.ts";

// What the Gemini API and Vertex AI have in common on the wire.

/** A stream as Google sends it: data only, lines that end with CRLF, no [DONE]. */
export function sse(...chunks: readonly unknown[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
}

/** A chunk with parts of one candidate. */
export function chunk(parts: readonly unknown[], finishReason?: string, more: object = {}): object {
  return {
    candidates: [{ content: { parts, role: "model" }, ...(finishReason && { finishReason }), index: 0 }],
    modelVersion: "gemini-3.8-flash",
    responseId: "r1",
    ...more,
  };
}

export const text = (value: string) => ({ kind: { case: "text" as const, value } });
export const toolCall = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});
export const reasoning = (value: string) => ({ kind: { case: "reasoning" as const, value: { text: value } } });
export const said = (
  parts: readonly object[],
  finishReason = FinishReason.STOP,
  providerFinishReason = "STOP",
  more: object = {},
) => ({ message: { role: Role.ASSISTANT, parts: [...parts] }, finishReason, providerFinishReason, ...more });

export const usage = (input: number, output: number, parts: object = {}) => ({
  inputTokens: input,
  outputTokens: output,
  totalTokens: input + output,
  quality: UsageQuality.EXACT,
  ...parts,
});

export const begun = chunk([{ text: "Hello" }]);

function error(status: number, code: string, message: string, details: readonly object[] = []): JsonObject {
  return JSON.parse(JSON.stringify({ error: { code: status, message, status: code, details } }));
}

const errorInfo = (reason: string) => ({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason });
const quota = (quotaId: string) => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaId }],
});
const retry = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.4s" };

/** The error table of Google's services, which the Gemini API and Vertex AI share. */
export const errors: readonly ErrorCase[] = [
  {
    name: "400 INVALID_ARGUMENT",
    status: 400,
    body: error(400, "INVALID_ARGUMENT", "Invalid value at 'generation_config'."),
    reason: "INVALID_REQUEST",
    code: "INVALID_ARGUMENT",
  },
  {
    name: "400 with a bad key",
    status: 400,
    body: error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
      errorInfo("API_KEY_INVALID"),
    ]),
    reason: "PROVIDER_CREDENTIALS_REJECTED",
    code: "API_KEY_INVALID",
  },
  {
    name: "400 FAILED_PRECONDITION, a region without a free tier",
    status: 400,
    body: error(400, "FAILED_PRECONDITION", "Please enable billing on your project."),
    reason: "PROVIDER_QUOTA_EXHAUSTED",
    code: "FAILED_PRECONDITION",
  },
  {
    name: "401 UNAUTHENTICATED",
    status: 401,
    body: error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    reason: "PROVIDER_CREDENTIALS_REJECTED",
    code: "UNAUTHENTICATED",
  },
  {
    name: "403 PERMISSION_DENIED",
    status: 403,
    body: error(403, "PERMISSION_DENIED", "The caller does not have permission."),
    reason: "PROVIDER_PERMISSION_DENIED",
    code: "PERMISSION_DENIED",
  },
  {
    name: "404 NOT_FOUND",
    status: 404,
    body: error(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta."),
    reason: "MODEL_NOT_FOUND",
    code: "NOT_FOUND",
  },
  {
    name: "429 with a hint in its body",
    status: 429,
    body: error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [
      quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
      retry,
    ]),
    reason: "PROVIDER_RATE_LIMITED",
    code: "RESOURCE_EXHAUSTED",
    retryAfterMs: 34_400,
  },
  {
    name: "429 of a quota for the day",
    status: 429,
    body: error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [
      quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
      retry,
    ]),
    reason: "PROVIDER_QUOTA_EXHAUSTED",
  },
  {
    name: "499 CANCELLED",
    status: 499,
    body: error(499, "CANCELLED", "The operation was cancelled."),
    reason: "PROVIDER_UNAVAILABLE",
  },
  {
    name: "500 INTERNAL",
    status: 500,
    body: error(500, "INTERNAL", "An internal error has occurred."),
    reason: "PROVIDER_UNAVAILABLE",
    code: "INTERNAL",
  },
  {
    name: "503 UNAVAILABLE",
    status: 503,
    headers: { "retry-after": "2" },
    body: error(503, "UNAVAILABLE", "The model is overloaded."),
    reason: "PROVIDER_UNAVAILABLE",
    code: "UNAVAILABLE",
    retryAfterMs: 2_000,
  },
  {
    name: "504 DEADLINE_EXCEEDED",
    status: 504,
    body: error(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    reason: "PROVIDER_TIMEOUT",
    code: "DEADLINE_EXCEEDED",
  },
  {
    name: "an error as a list, as the method sends it without alt=sse",
    status: 429,
    body: JSON.stringify([error(429, "RESOURCE_EXHAUSTED", "Slow down.")]),
    reason: "PROVIDER_RATE_LIMITED",
    code: "RESOURCE_EXHAUSTED",
  },
  { name: "502 of a proxy", status: 502, body: "<html>Bad Gateway</html>", reason: "PROVIDER_UNAVAILABLE" },
];

/** Answers that fail after they began. */
export const failures: Dialect["failures"] = [
  {
    name: "an error event",
    wire: sse(begun, error(503, "UNAVAILABLE", "The model is overloaded.")),
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
  {
    name: "an error event without a code",
    wire: sse(begun, { error: { code: null, message: "Overloaded.", status: "UNAVAILABLE" } }),
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
  {
    name: "an error as bare JSON between the events",
    wire: `${sse(begun)}${JSON.stringify(error(503, "UNAVAILABLE", "Overloaded."), undefined, 2)}`,
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
  { name: "an end without a finish reason", wire: sse(begun), reason: "PROVIDER_STREAM_INTERRUPTED" },
  {
    name: "an end where one of two candidates has no finish reason",
    wire: sse(chunk([{ text: "Hi" }], "STOP"), { candidates: [{ content: { parts: [{ text: "Ho" }] }, index: 1 }] }),
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
  {
    name: "a chunk that is not JSON",
    wire: `${sse(begun)}data: {"candi\r\n\r\n`,
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
  {
    name: "a call that the provider could not read",
    wire: sse(begun, { candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL", index: 0 }] }),
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
  {
    name: "arguments in pieces, which nobody asked for",
    wire: sse(begun, chunk([{ functionCall: { name: "weather", partialArgs: [{ jsonPath: "$.city" }] } }])),
    reason: "PROVIDER_STREAM_INTERRUPTED",
  },
];
