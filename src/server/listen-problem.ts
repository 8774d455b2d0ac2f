import { type Address, formatAddress } from "../config/address.ts";
import { ConfigError } from "../config/config-error.ts";

/** Where an address comes from. */
export interface AddressSource {
  /** Key of the file, such as `http.address`. */
  readonly key: string;
  /** Variable that replaces the key. Undefined: there is none. */
  readonly variable?: string;
}

/** What is wrong with an address, by the error code of the system, and what to do. `place` names the key. */
const problems: Readonly<Record<string, (place: string) => readonly [problem: string, fix: string]>> = {
  EADDRINUSE: (place) => ["another program uses the port", `end that program, or set ${place} to a free port`],
  EADDRNOTAVAIL: (place) => ["this machine does not have the address", `set ${place} to an address of this machine`],
  EACCES: (place) => ["the user may not open the port", `set ${place} to a port above 1023`],
  ENOTFOUND: (place) => ["the host name is unknown", `set ${place} to an IP address of this machine`],
};

/** Creates the error for an address on which the service cannot listen. */
export function listenError(error: unknown, address: Address, { key, variable }: AddressSource): ConfigError {
  const code = codeOf(error);
  const place = variable === undefined ? key : `${key} or ${variable}`;
  const [problem, fix] = problems[code]?.(place) ?? ["the system rejects it", `set ${place} to another address`];
  return new ConfigError([
    { path: key, problem: `cannot listen on ${formatAddress(address)}: ${problem} (${code})`, fix },
  ]);
}

/** Returns the system's error code. grpc-js has it only in its text. */
function codeOf(error: unknown): string {
  const { code, message }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  if (code !== undefined) return code === "EAI_AGAIN" ? "ENOTFOUND" : code;
  if (/name resolution failed/i.test(message)) return "ENOTFOUND";
  return /\bE[A-Z]{3,}\b/.exec(message)?.[0] ?? "unknown error";
}
