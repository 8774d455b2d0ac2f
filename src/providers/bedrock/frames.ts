import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";
import type { GatewayError } from "../../errors.ts";
import type { BodyForm } from "../../upstream/body-form.ts";
import type { Decoder } from "../../upstream/decoder.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/** One message of the binary event stream. */
export interface Frame {
  /** Headers with a text value: `:message-type`, and `:event-type`, `:exception-type` or `:error-code`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Maximum frame size in bytes. Amazon's clients allow 24 MiB of payload, 128 KiB of headers, 16 bytes of framing. */
const frameLimit = 24 * 1024 * 1024 + 128 * 1024 + 16;
/** Minimum frame size in bytes: the prelude and two checksums. */
const smallestFrame = 16;
const lengthBytes = 4;

/** Forms that a proxy may return instead. */
const texts: Partial<Record<BodyForm, string>> = {
  json: "JSON",
  lines: "JSON",
  events: "a stream of server-sent events",
};

const codec = new EventStreamCodec(toUtf8, fromUtf8);

/**
 * Decodes frames from bytes as they arrive. A frame may span several HTTP chunks.
 * https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export class FrameDecoder implements Decoder<Frame> {
  readonly isWhole = false;
  readonly #call: UpstreamCall;
  #chunks: Uint8Array[] = [];
  #held = 0;
  /** Bytes to wait for before decoding, so that the chunks of a large frame are concatenated only once. */
  #needed = lengthBytes;

  /** @param form what the body is; a binary stream is `other` */
  constructor(call: UpstreamCall, form: BodyForm = "other") {
    if (form !== "other") throw malformedAnswer(call, `it is ${texts[form] ?? "text"} and not an AWS event stream`);
    this.#call = call;
  }

  /** Yields the frames that these bytes complete. Consume the generator to its end. */
  *decode(chunks: readonly Uint8Array[]): Generator<Frame, void, undefined> {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#held += chunk.length;
    }
    if (this.#held < this.#needed) return;
    let bytes = Buffer.concat(this.#chunks);
    this.#needed = lengthBytes;
    while (bytes.length >= this.#needed) {
      const length = bytes.readUInt32BE();
      const isPossible = length >= smallestFrame && length <= frameLimit;
      if (!isPossible) throw this.#invalid(new Error("a frame has an impossible length"));
      this.#needed = length;
      if (bytes.length < length) break;
      yield this.#toFrame(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
      this.#needed = lengthBytes;
    }
    this.#chunks = [bytes];
    this.#held = bytes.length;
  }

  end(): readonly Frame[] {
    if (this.#held > 0) throw cutAnswer(this.#call);
    return [];
  }

  #toFrame(bytes: Uint8Array): Frame {
    try {
      return toFrame(bytes);
    } catch (error) {
      throw this.#invalid(error);
    }
  }

  #invalid(cause: unknown): GatewayError {
    return malformedAnswer(this.#call, "a frame is invalid", cause);
  }
}

function toFrame(bytes: Uint8Array): Frame {
  const { headers, body } = codec.decode(bytes);
  const texts = Object.entries(headers).flatMap(([name, { value }]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return { headers: Object.fromEntries(texts), data: toUtf8(body) };
}
