import { GatewayError } from "../errors.ts";
import { decodeText } from "./charset.ts";
import type { UpstreamResponse } from "./response.ts";

/**
 * Reads a body as text, but at most `limit` bytes. `whole` is false if the text is truncated. Ends at data that cannot
 * be decompressed: the status of an error says more than its text.
 *
 * @param limit in bytes
 */
export async function readText(
  response: UpstreamResponse,
  limit: number,
): Promise<{ readonly text: string; readonly whole: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size <= limit) {
    const read = await readSome(response);
    if (read === undefined) return { text: decodeText(Buffer.concat(chunks), response.contentType), whole: true };
    response.restartIdle();
    for (const chunk of read) {
      chunks.push(chunk);
      size += chunk.length;
    }
  }
  response.close();
  return { text: decodeText(Buffer.concat(chunks).subarray(0, limit), response.contentType), whole: false };
}

async function readSome(response: UpstreamResponse): Promise<readonly Buffer[] | undefined> {
  try {
    return await response.read();
  } catch (error) {
    if (error instanceof GatewayError && error.reason === "PROVIDER_FAULT") return undefined;
    throw error;
  }
}
