/** Invalid command line. The program prints the message and exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What programs read of the error of a call, with `--json`. Each member is left out if the error has none. */
export interface CallErrorDetails {
  /** Name of the gRPC status. */
  readonly status?: string;
  readonly reason?: string;
  readonly fields?: readonly { readonly field: string; readonly description: string }[];
  readonly call_id?: string;
  readonly retry_after_ms?: number;
}

/** A command could not do its work. The program prints the message and exits with 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly details: CallErrorDetails;

  constructor(message: string, details: CallErrorDetails = {}) {
    super(message);
    this.details = details;
  }
}

/** The user interrupted the command with Ctrl-C. The program prints nothing more and exits with 130, as shells expect. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}
