import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import { type Attempt, AttemptOutcome } from "../../gen/dragoman/v1/attempt_pb.js";
import {
  CallInfoSchema,
  JsonGenerationFailureSchema,
  ProviderErrorSchema,
  ToolCallFailureSchema,
} from "../../gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { nearest } from "../../nearest.ts";
import { type CallErrorDetails, CommandError } from "../failures.ts";
import { printable } from "../table.ts";
import { formatDollars } from "../usage/amounts.ts";

/** What to do about an error, by its reason. Messages of the service say what to do about the others. */
const advice: Readonly<Record<string, string>> = {
  CREDENTIALS_MISSING: "set DRAGOMAN_API_KEY, or write --key-file",
  CREDENTIALS_INVALID: "check DRAGOMAN_API_KEY or --key-file; `dragoman keys list` shows which keys are valid",
  ROLE_NOT_ALLOWED: "use a key with that role; `dragoman keys create --role` makes one",
  MODEL_NOT_FOUND: "`dragoman models` lists the models",
  MODEL_NOT_ALLOWED: "`dragoman models` lists the models of the key",
  UNSUPPORTED_PARAMETER: "`dragoman plan` shows what the model gets",
  CONTEXT_LENGTH_EXCEEDED: "shorten the prompt, or choose a model with a larger context window",
  PROVIDER_UNAVAILABLE: "retry later; `dragoman targets` shows which targets fail",
  PROVIDER_TIMEOUT: "retry later; `dragoman targets` shows which targets fail",
  PROVIDER_STREAM_INTERRUPTED: "retry",
  OVERLOADED: "retry later",
  DEADLINE_EXCEEDED: "allow more time with --timeout",
  SHUTTING_DOWN: "retry when the service has started again",
};

/** Creates the failure of a command for the error of a call. */
export function callFailure(error: ConnectError, url: URL): CommandError {
  return new CommandError(describeCallError(error, url), detailsOf(error));
}

function detailsOf(error: ConnectError): CallErrorDetails {
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) return {};
  const [bad] = error.findDetails(BadRequestSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  const [call] = error.findDetails(CallInfoSchema);
  return {
    status: statusName(error.code),
    reason: info.reason,
    ...(bad && { fields: bad.fieldViolations.map(({ field, description }) => ({ field, description })) }),
    ...(call && { call_id: call.callId }),
    ...(retry?.retryDelay && { retry_after_ms: durationMs(retry.retryDelay) }),
  };
}

/** Describes the error of a call in lines: status, reason and message, wrong fields, the provider, and what to do. */
export function describeCallError(error: ConnectError, url: URL): string {
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) return describeWithoutDetails(error, url);
  const [bad] = error.findDetails(BadRequestSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  const delayMs = retry?.retryDelay && durationMs(retry.retryDelay);
  const lines = [
    `${statusName(error.code)} (${info.reason}): ${error.rawMessage}`,
    ...(bad?.fieldViolations ?? [])
      // The message has the first one.
      .filter(({ description }) => !error.rawMessage.includes(description))
      .map(({ field, description }) => `  ${field}: ${description}`),
    ...linesOfProvider(error),
    ...linesOfOutput(error),
    ...linesOfCall(error),
    delayMs === undefined ? "" : `  retry after ${(delayMs / 1000).toFixed(delayMs < 10_000 ? 1 : 0)} s`,
    advice[info.reason] === undefined ? "" : `  ${advice[info.reason]}`,
  ];
  return lines
    .filter((line) => line !== "")
    .map(printable)
    .join("\n");
}

function linesOfProvider(error: ConnectError): readonly string[] {
  return error.findDetails(ProviderErrorSchema).map(({ provider, httpStatus, code, requestId }) => {
    const facts = [
      httpStatus === 0 ? "" : `HTTP ${httpStatus}`,
      code === "" ? "" : `code ${code}`,
      requestId === "" ? "" : `request id ${requestId}`,
    ].filter((fact) => fact !== "");
    return facts.length === 0 ? "" : `  provider ${provider}: ${facts.join(", ")}`;
  });
}

function linesOfOutput(error: ConnectError): readonly string[] {
  const failures = [...error.findDetails(JsonGenerationFailureSchema), ...error.findDetails(ToolCallFailureSchema)];
  return failures.map(({ failedGeneration, truncated }) =>
    failedGeneration === "" ? "" : `  the model wrote: ${failedGeneration}${truncated ? " ... (truncated)" : ""}`,
  );
}

function linesOfCall(error: ConnectError): readonly string[] {
  return error.findDetails(CallInfoSchema).flatMap(({ callId, usage, attempts }) => {
    const cost = usage?.cost === undefined ? "" : `, cost ${formatDollars([usage.cost.totalNanos])[0]}`;
    return [attempts.length > 1 ? `  attempts: ${describeAttempts(attempts)}` : "", `  call ${callId}${cost}`];
  });
}

/** Describes attempts in their order: each target, and why it did not respond. */
export function describeAttempts(attempts: readonly Attempt[]): string {
  return attempts
    .map(({ target, failureReason, outcome }) =>
      outcome === AttemptOutcome.ANSWERED ? target : `${target} (${failureReason || "abandoned"})`,
    )
    .join(", ");
}

/** Describes an error that no service sent: of the connection, of the client, or of something that is no Dragoman. */
function describeWithoutDetails(error: ConnectError, url: URL): string {
  const { code } = error;
  const cause = codeOf(error.cause);
  if (cause === "ECONNREFUSED" || cause === "ENOENT") {
    return [
      `no service responds at ${url.host}`,
      "  start one with `dragoman serve`, or name its address with --address or DRAGOMAN_ADDRESS",
    ].join("\n");
  }
  if (cause === "ENOTFOUND" || cause === "EAI_AGAIN") {
    const [fix] = nearest(url.hostname, ["localhost", "127.0.0.1"]);
    return `the host ${url.hostname} is not known; ${fix === undefined ? "check --address" : `did you mean ${fix}?`}`;
  }
  if (code === Code.DeadlineExceeded) return "DEADLINE_EXCEEDED: no response in time\n  allow more time with --timeout";
  // Sent by the service, unlike what this side says about the service's certificate.
  if (/ALERT_.*(CERT|UNKNOWN_CA)/.test(cause)) {
    return `${url.host} does not accept the client (${cause})\n  name a certificate that it accepts with --cert and --cert-key`;
  }
  if (/CERT|SELF_SIGNED|ALTNAME|ISSUER/.test(cause)) {
    return `the certificate of ${url.host} is not accepted (${cause})\n  name its authority with --ca`;
  }
  if (cause === "" && ![Code.Canceled, Code.Internal, Code.Unknown].includes(code)) {
    return `${statusName(code)}: ${printable(error.rawMessage)}`;
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|EPROTO/.test(cause)) {
    return `${url.host} does not speak TLS (${cause})\n  omit --tls, and write the address as host:port or http://host:port`;
  }
  const fix =
    url.protocol === "https:"
      ? "a service with TLS"
      : "a service without TLS, usually port 50051, and not its HTTP address; for one with TLS, write --tls";
  return `cannot talk to ${url.host} (${cause || printable(error.rawMessage)})\n  it must be the gRPC address of ${fix}`;
}

/** Returns the code of the system's or TLS's error that caused an error. Empty if there is none. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  const [first]: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return codeOf(first ?? error.cause);
}

/** Returns the name that gRPC gives a status code. */
function statusName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
