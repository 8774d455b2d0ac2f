import type { Server } from "node:net";
import { formatAddress } from "../config/address.ts";
import { describeSystemCode, systemCode } from "../system-error.ts";

interface Place {
  /** Key of the configuration. */
  readonly key: "grpc.address" | "http.address" | "telemetry.metrics_address";
  /** Variable that sets the key. Undefined: there is none. */
  readonly variable?: string;
  readonly address: { readonly host: string; readonly port: number };
}

/** A listener cannot be opened. The message names its key, the reason, and what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";

  constructor({ key, variable, address }: Place, cause: unknown) {
    const code = codeOf(cause);
    const setting = variable === undefined ? key : `${key} or ${variable}`;
    const problem = `${key}: cannot listen on ${formatAddress(address)}: ${describeSystemCode(code)}`;
    super(`${problem}; ${fixOf(code, setting, address.port)}`, { cause });
  }
}

function fixOf(code: string, setting: string, port: number): string {
  if (code === "EADDRINUSE") return `stop the program that uses it, or set another port in ${setting}`;
  if (code === "EACCES") return `set a port above 1023 in ${setting}`;
  return `set an address of this machine in ${setting}, such as 127.0.0.1:${port}`;
}

/** Returns the code of a system error. grpc-js has it only in its text, and has none for an unknown host. */
function codeOf(cause: unknown): string {
  if (cause instanceof Error && "code" in cause) return systemCode(cause);
  const text = String(cause);
  return /\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? (/resolution failed/i.test(text) ? "ENOTFOUND" : text);
}

/** Opens a listener. Rejects with ListenError. */
export function listen(server: Server, place: Place): Promise<void> {
  const { host, port } = place.address;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new ListenError(place, error));
    server.once("error", fail);
    server.listen(port, host, resolve);
  });
}
