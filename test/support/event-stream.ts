import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";

const codec = new EventStreamCodec(toUtf8, fromUtf8);

function encode(headers: Readonly<Record<string, string>>, payload: object | string | undefined): Uint8Array {
  const entries = Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }]);
  const text = typeof payload === "string" ? payload : JSON.stringify(payload ?? "");
  return codec.encode({ headers: Object.fromEntries(entries), body: fromUtf8(payload === undefined ? "" : text) });
}

/** Encodes an event as a frame of Amazon's binary event stream, with Bedrock's padding field. */
export function eventFrame(type: string, payload: object | string): Uint8Array {
  const padded = typeof payload === "string" ? payload : { ...payload, p: "abcdefgh" };
  return encode({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, padded);
}

export function exceptionFrame(type: string, payload: object): Uint8Array {
  return encode(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    payload,
  );
}

export function errorFrame(code: string, message: string): Uint8Array {
  return encode({ ":message-type": "error", ":error-code": code, ":error-message": message }, undefined);
}

/** Returns a stream of frames whose JSON payloads are changed. */
export function mapFrames(bytes: Uint8Array, change: (payload: unknown) => unknown): Uint8Array {
  const frames: Uint8Array[] = [];
  let rest = Buffer.from(bytes);
  while (rest.length > 0) {
    const length = rest.readUInt32BE();
    const { headers, body } = codec.decode(rest.subarray(0, length));
    frames.push(codec.encode({ headers, body: fromUtf8(JSON.stringify(change(JSON.parse(toUtf8(body))))) }));
    rest = rest.subarray(length);
  }
  return Buffer.concat(frames);
}
