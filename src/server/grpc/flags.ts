import type { ServerInterceptingCallInterface, StatusObject } from "@grpc/grpc-js";
import { GatewayError } from "../../errors.ts";
import type { Claimant } from "../../fair-slots.ts";
import { decompressInTurn } from "../services/decompression.ts";
import { undeclaredEncoding } from "../services/library-errors.ts";

/** Private method of grpc-js 1.14 that receives each message with its prefix. A test checks that grpc-js calls it. */
interface Decompressing {
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/**
 * Makes a call reject messages whose flag byte is invalid. grpc-js reads a message with the compressed flag as plain if
 * the request has no `grpc-encoding`, although the protocol requires INTERNAL. It also ignores reserved flags.
 * https://github.com/grpc/grpc/blob/master/doc/compression.md
 *
 * @param caller the call of the request. Undefined: it has none.
 * @param sender who sent the request, for the turns of decompression
 * @param statusOf settles the call with the error and returns its status
 * @param hold receives the size of each decompressed message in bytes, and throws if that is too much
 */
export function checkFlags(
  base: ServerInterceptingCallInterface,
  sender: Claimant,
  statusOf: (error: GatewayError) => StatusObject,
  hold: (bytes: number) => void,
): void {
  const call = base as unknown as Decompressing;
  const decompress = call.decompressMessage;
  // Not assigned as a literal: see `releaseStream`.
  const checked: Decompressing["decompressMessage"] = (message, encoding) => {
    const flags = message[0] ?? 0;
    const error = flagError(flags, encoding);
    // grpc-js sends what this function throws as the status.
    if (error !== undefined) throw statusOf(error);
    if (flags === 0) return decompress.call(call, message, encoding);
    return decompressInTurn(sender, async () => {
      const bytes = await decompress.call(call, message, encoding);
      // At once: grpc-js keeps the message until the client ends its request.
      hold(bytes.length);
      return bytes;
    });
  };
  call.decompressMessage = checked;
}

/** Returns the error of a message whose flag byte is invalid for the encoding of its request, else undefined. */
export function flagError(flags: number, encoding: string): GatewayError | undefined {
  if (flags > 1) return new GatewayError("MALFORMED_FRAME", "a message has reserved flags; set them to 0");
  return flags === 1 && encoding === "identity" ? undeclaredEncoding() : undefined;
}
