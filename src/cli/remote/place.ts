import type { Environment } from "../../config/environment.ts";
import { UsageError } from "../failures.ts";
import { type ConnectionValues, connectionOptions } from "./connection-options.ts";

/**
 * Returns whether a command calls a running service instead of reading the database: with `--address` or the variable
 * DRAGOMAN_ADDRESS. A configuration that the command line names has precedence over the variable. Throws UsageError if
 * options contradict each other.
 */
export function isRemote(
  values: ConnectionValues & { readonly config?: string },
  { DRAGOMAN_ADDRESS }: Environment,
): boolean {
  const given = Object.keys(connectionOptions).find((name) => name in values);
  if (values.config !== undefined) {
    if (given === undefined) return false;
    throw new UsageError(`--${given} is for a running service, and --config for its database; write one of them`);
  }
  if (values.address !== undefined || DRAGOMAN_ADDRESS) return true;
  if (given === undefined) return false;
  throw new UsageError(`--${given} is for a running service; write its address with --address`);
}
