import { type ErrorFacts, GatewayError, type Reason } from "../errors.ts";

// What the process and its thread send to each other. Everything can be cloned by the structured clone algorithm.

/** Message to the thread: a call, or the order to end within `closeMs` milliseconds. */
export type Order = CallOrder | { readonly closeMs: number };

export interface CallOrder {
  readonly id: number;
  /** Names of an interface and of its method: `usage.getCall`. */
  readonly method: string;
  readonly parameters: readonly unknown[];
}

/** Message from the thread: the result of a call, its error, or an event. */
export type Report =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: SentError }
  | { readonly event: string; readonly value: unknown };

/** Error in a form that can be sent: clones of errors lose their class and their own fields. */
export interface SentError {
  /** Of a GatewayError. */
  readonly reason?: Reason;
  readonly facts?: ErrorFacts;
  readonly cause?: SentError;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Such as `ECONNREFUSED`, or the SQLSTATE of PostgreSQL. */
  readonly code?: string;
}

/** Maximum depth of causes that are sent. */
const mostCauses = 4;

export function toSent(thrown: unknown, depth = 0): SentError {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown) };
  const { name, message, stack } = thrown;
  const code: unknown = "code" in thrown ? thrown.code : undefined;
  const hasCause = thrown.cause !== undefined && depth < mostCauses;
  const sent = {
    ...{ name, message },
    ...(stack !== undefined && { stack }),
    ...((typeof code === "string" || typeof code === "number") && { code: String(code) }),
    ...(hasCause && { cause: toSent(thrown.cause, depth + 1) }),
  };
  if (!(thrown instanceof GatewayError)) return sent;
  const { cause: _, ...facts } = thrown.facts;
  return { ...sent, reason: thrown.reason, facts };
}

export function fromSent({ reason, facts, cause: sentCause, name, message, stack, code }: SentError): Error {
  const cause = sentCause && fromSent(sentCause);
  if (reason !== undefined) return new GatewayError(reason, message, { ...facts, ...(cause && { cause }) });
  const error = new Error(message, cause && { cause });
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
