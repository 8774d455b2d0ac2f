import { Code } from "@connectrpc/connect";
import { GatewayError, type Reason } from "../../errors.ts";

/** What grpc-js and Connect end a call with by themselves, before its method begins. Both use gRPC's numbers. */
const reasons: Readonly<Partial<Record<number, Reason>>> = {
  [Code.Aborted]: "CANCELLED",
  [Code.Canceled]: "CANCELLED",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "SERVICE_NOT_FOUND",
  [Code.ResourceExhausted]: "REQUEST_TOO_LARGE",
  [Code.Unimplemented]: "UNSUPPORTED_ENCODING",
};

/**
 * An error of grpc-js or Connect as one of this service. What is not in the table is bytes that cannot be read,
 * which the two of them call INTERNAL, INVALID_ARGUMENT and more.
 */
export function libraryError(code: number, text: string): GatewayError {
  return new GatewayError(reasons[code] ?? "INVALID_REQUEST", text);
}

export function methodNotFound(path: string): GatewayError {
  return new GatewayError(
    "METHOD_NOT_FOUND",
    `there is no method ${path}; this service has dragoman.v1.ChatService and dragoman.v1.ModelService`,
  );
}
