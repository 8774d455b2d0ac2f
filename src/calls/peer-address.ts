/** Formats the address of a socket. An IPv4 client of an IPv6 socket has an address such as `::ffff:10.0.0.1`. */
export function peerAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/i, "") ?? "";
}
