import { Code, ConnectError } from "@connectrpc/connect";
import { GatewayError, type Reason } from "../../errors.ts";
import { type FailedRequest, statusOf } from "./status.ts";

/** Reasons for the codes of a ConnectError that are not the caller's fault. */
const reasons: Readonly<Partial<Record<Code, Reason>>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.Unknown]: "INTERNAL",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "INTERNAL",
  [Code.DataLoss]: "INTERNAL",
};

/** Converts the error of a service that has no GatewayErrors. The reason is as exact as the code allows. */
export function fromConnectError(error: ConnectError): GatewayError {
  return new GatewayError(reasons[error.code] ?? "INVALID_REQUEST", error.rawMessage, { cause: error });
}

/** Copies a ConnectError with its code, its details, or those of `error` if it has none, and a message fit to send. */
export function withDetails(thrown: ConnectError, error: GatewayError, request: FailedRequest): ConnectError {
  const { message, details } = statusOf(error, request);
  const sent = new ConnectError(message, thrown.code, thrown.metadata, [...details], thrown);
  if (thrown.details.length > 0) sent.details = thrown.details;
  return sent;
}
