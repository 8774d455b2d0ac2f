/** Invalid command line. The program prints the message and exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command could not do its work. The program prints the message and exits with 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The user interrupted the command with Ctrl-C. The program prints nothing more and exits with 130, as shells expect. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}
