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
 * @param statusOf settles the call with the error and returns its status
 */
export function checkFlags(
  base: ServerInterceptingCallInterface,
  caller: { readonly sender: Claimant } | undefined,
  statusOf: (error: GatewayError) => StatusObject,
): void {
  const call = base as unknown as Decompressing;
  const decompress = call.decompressMessage;
  call.decompressMessage = function (message, encoding) {
    const error = flagError(message[0] ?? 0, encoding);
    // grpc-js sends what this function throws as the status.
    if (error !== undefined) throw statusOf(error);
    const isCompressed = (message[0] ?? 0) !== 0;
    return isCompressed && caller !== undefined
      ? decompressInTurn(caller.sender, () => decompress.call(this, message, encoding))
      : decompress.call(this, message, encoding);
  };
}

/** Returns the error of a message whose flag byte is invalid for the encoding of its request, else undefined. */
export function flagError(flags: number, encoding: string): GatewayError | undefined {
  if (flags > 1) return new GatewayError("MALFORMED_FRAME", "a message has reserved flags; set them to 0");
  return flags === 1 && encoding === "identity" ? undeclaredEncoding() : undefined;
}
