import { isUtf8 } from "node:buffer";
import { unusableAnswer } from "./errors.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Charsets whose texts are also UTF-8. */
const utf8Charsets: ReadonlySet<string> = new Set(["utf-8", "utf8", "us-ascii", "ascii"]);

/** Decodes a text without its byte order mark: UTF-8 if it is valid, else in the charset that the header declares. */
export function decodeText(bytes: Buffer, contentType: string): string {
  const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff;
  const charset = isLittle ? "utf-16le" : isBig ? "utf-16be" : isUtf8(bytes) ? "utf-8" : charsetOf(contentType);
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString();
  }
}

/**
 * Returns a function that throws PROVIDER_FAULT at bytes that are not UTF-8, if the header declares another charset.
 * Many servers declare ISO-8859-1 and send UTF-8, as JSON (RFC 8259) and server-sent events require.
 */
export function createCharsetCheck(
  contentType: string,
  call: UpstreamCall,
): ((chunks: readonly Buffer[] | undefined) => void) | undefined {
  const charset = charsetOf(contentType);
  if (utf8Charsets.has(charset)) return undefined;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return (chunks) => {
    try {
      for (const chunk of chunks ?? []) decoder.decode(chunk, { stream: true });
    } catch {
      throw unusableAnswer(call, `its charset is ${charset} and not UTF-8`);
    }
  };
}

/** Returns the charset that the header declares, in lower case. Default: utf-8. */
function charsetOf(contentType: string): string {
  return /;\s*charset="?([\w.:-]{1,40})/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
}
