/** Integers below this are encoded in one byte. */
export const oneByte = 0x80;

/** Returns the number of bytes of an unsigned integer in the protobuf wire format. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= oneByte; rest = Math.floor(rest / oneByte)) bytes++;
  return bytes;
}

/** Writes an unsigned integer. Returns the position after it. */
export function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= oneByte; rest = Math.floor(rest / oneByte)) bytes[at++] = (rest % oneByte) + oneByte;
  bytes[at++] = rest;
  return at;
}
