import type { UpstreamResponse } from "./response.ts";

/**
 * Reads a body as text, but at most `limit` bytes. `whole` is false if the text is truncated.
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
    const read = await response.read();
    if (read === undefined) return { text: Buffer.concat(chunks).toString(), whole: true };
    response.sawOutput();
    for (const chunk of read) {
      chunks.push(chunk);
      size += chunk.length;
    }
  }
  response.close();
  return { text: Buffer.concat(chunks).subarray(0, limit).toString(), whole: false };
}
