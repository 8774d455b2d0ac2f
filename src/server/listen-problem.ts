import { type Address, formatAddress } from "../config/address.ts";
import { ConfigError } from "../config/config-error.ts";
import { describeSystemCode, systemCode } from "../system-error.ts";

/** Where an address comes from. */
export interface AddressSource {
  /** Key of the file, such as `http.address`. */
  readonly key: string;
  /** Variable that replaces the key. Undefined: there is none. */
  readonly variable?: string;
}

/** Creates the error for an address on which the service cannot listen. */
export function listenError(error: unknown, address: Address, { key, variable }: AddressSource): ConfigError {
  const code = codeOf(error);
  const place = variable === undefined ? key : `${key} or ${variable}`;
  const problem = `cannot listen on ${formatAddress(address)}: ${describeSystemCode(code)}`;
  return new ConfigError([{ path: key, problem, fix: fixOf(code, place, address.port) }]);
}

function fixOf(code: string, place: string, port: number): string {
  if (code === "EADDRINUSE") return `stop the program that uses it, or set another port in ${place}`;
  if (code === "EACCES") return `set a port above 1023 in ${place}`;
  return `set an address of this machine in ${place}, such as 127.0.0.1:${port}`;
}

/** Returns the code of a system error. grpc-js has it only in its text, and has none for an unknown host. */
function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) {
    const code = systemCode(error);
    return code === "EAI_AGAIN" ? "ENOTFOUND" : code;
  }
  const text = String(error);
  return /\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? (/resolution failed/i.test(text) ? "ENOTFOUND" : text);
}
