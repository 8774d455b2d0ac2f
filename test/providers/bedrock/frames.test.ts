import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { type Frame, FrameDecoder } from "../../../src/providers/bedrock/frames.ts";
import { startCall } from "../../../src/upstream/upstream-call.ts";
import { eventFrame } from "../../support/event-stream.ts";
import { context } from "./harness.ts";

// Two frames that botocore decodes to the values below.
const deltaFrame = Buffer.from(
  "0000009d00000057b9bbf89f0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c74610d3a636f6e74656e742d747970" +
    "650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74426c6f636b" +
    "496e646578223a302c2264656c7461223a7b2274657874223a224869227d2c2270223a226162227d8b38b268",
  "hex",
);
const throttled = Buffer.from(
  "00000090000000618e91a9b70f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e0d3a636f6e7465" +
    "6e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009657863657074696f6e7b226d6573" +
    "73616765223a22546f6f206d616e79207265717565737473227de67f8005",
  "hex",
);
const delta: Frame = {
  headers: {
    ":event-type": "contentBlockDelta",
    ":content-type": "application/json",
    ":message-type": "event",
  },
  data: '{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"ab"}',
};

const start = () => new FrameDecoder(startCall(context()));

/** Returns the decoder's error for the bytes; empty if it reports none. */
function problemOf(bytes: Uint8Array): string {
  const decoder = start();
  try {
    for (const frame of decoder.decode([bytes])) throw new Error(`took ${frame.data}`);
    decoder.end();
    return "";
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.cause instanceof Error ? error.cause.message : error.reason;
  }
}

function decode(...chunks: readonly Uint8Array[]): readonly Frame[] {
  const decoder = start();
  return chunks.flatMap((chunk) => [...decoder.decode([chunk])]);
}

describe("FrameDecoder", () => {
  it("decodes frames to the same values as botocore", () => {
    expect(decode(deltaFrame)).toEqual([delta]);
    expect(decode(throttled)).toEqual([
      {
        headers: {
          ":exception-type": "throttlingException",
          ":content-type": "application/json",
          ":message-type": "exception",
        },
        data: '{"message":"Too many requests"}',
      },
    ]);
  });

  it("decodes the same frames wherever the bytes are split", () => {
    const bytes = Buffer.concat([deltaFrame, eventFrame("messageStop", { stopReason: "end_turn" }), deltaFrame]);
    const whole = decode(bytes);
    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 }), (places) => {
        const cuts = [0, ...places.sort((a, b) => a - b), bytes.length];
        const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
        expect(decode(...chunks)).toEqual(whole);
      }),
    );
  });

  it("reports an interrupted stream if the bytes end inside a frame", () => {
    const decoder = start();
    expect(decoder.end()).toEqual([]);
    expect([...decoder.decode([deltaFrame.subarray(0, 3)])]).toEqual([]);
    expect(() => decoder.end()).toThrow("ended too early");
    expect([...decoder.decode([deltaFrame.subarray(3)])]).toEqual([delta]);
    expect(decoder.end()).toEqual([]);
  });

  it("rejects a frame in which any byte was changed", () => {
    expect(problemOf(Buffer.alloc(0))).toBe("");
    for (const place of deltaFrame.keys()) {
      const broken = Buffer.from(deltaFrame);
      broken[place] = (broken[place] ?? 0) ^ 0x01;
      // A changed length may make the frame longer, so that it is incomplete.
      expect(problemOf(broken)).toMatch(/checksum|length|PROVIDER_STREAM_INTERRUPTED/);
    }
  });

  it("rejects an excessive frame length at once", () => {
    expect(problemOf(Buffer.from("7fffffff", "hex"))).toBe("a frame has an impossible length");
    expect(problemOf(Buffer.from("00000004", "hex"))).toBe("a frame has an impossible length");
    expect(() => decode(Buffer.from("00000004", "hex"))).toThrow("the provider's response is malformed");
  });
});
