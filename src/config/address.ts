import { BlockList, isIPv4, isIPv6 } from "node:net";
import { matching } from "./json-forms.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

// Rejects a name whose last label is a number: resolvers would read it as a short form of an IPv4 address (`127.1`).
const hostName = /^(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*(?<!(?:^|\.)\d+)$/;

/** Parses `127.0.0.1:50051`, `localhost:8080` or `[::1]:0`. Returns undefined for anything else. */
export function parseAddress(value: unknown): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(typeof value === "string" ? value : "");
  if (match === null) return undefined;
  const [, bracketed, bare = "", digits] = match;
  const port = Number(digits);
  const valid = bracketed === undefined ? isIPv4(bare) || hostName.test(bare) : isIPv6(bracketed);
  return valid && port <= 65_535 ? { host: bracketed ?? bare, port } : undefined;
}

/** JSON forms of what `parseAddress` accepts. */
export const addressForms = [matching("^(?:\\[[^\\]]+\\]|[^:\\[\\]]+):[0-9]{1,5}$", "127.0.0.1:8080", "[::1]:8080")];

/** Formats an address as `host:port`, with IPv6 hosts in brackets. Inverse of `parseAddress`. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Returns whether only this machine can reach the host: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return loopback.check(host);
  if (isIPv6(host)) return loopback.check(host, "ipv6");
  return host.toLowerCase() === "localhost";
}

/** Returns whether a listener on the host accepts connections to every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || (isIPv6(host) && !/[1-9a-f]/i.test(host));
}
