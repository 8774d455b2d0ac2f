import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Media, MediaSchema } from "../../gen/dragoman/v1/media_pb.js";

/** Maximum length of the part of a `data:` URI before the comma, in characters. */
const longestHead = 512;

type Source = Pick<Exclude<MessageInitShape<typeof MediaSchema>, Media>, "source" | "mediaType">;

/**
 * Returns the source of an image, audio or document for its URL. Decodes base64 `data:` URIs (RFC 2397), since some
 * providers do not support them. Other URLs stay URLs.
 */
export function mediaSource(address: string): Source {
  const comma = address.indexOf(",");
  // The regex takes quadratic time, so it only gets short texts. Media types and their parameters are short.
  const head = comma < 0 || comma > longestHead ? "" : address.slice(0, comma);
  const [, mediaType] = /^data:([^;,]+).*;base64$/i.exec(head) ?? [];
  const data = mediaType === undefined ? undefined : decodeBase64(address.slice(comma + 1));
  if (mediaType === undefined || data === undefined) return { source: { case: "url", value: address } };
  return { source: { case: "data", value: data }, mediaType };
}

/** Decodes base64 text (RFC 4648, section 4). Returns undefined if the text is not base64. */
export function decodeBase64(text: string): Buffer | undefined {
  // Search for what is invalid instead of matching the whole text: a regex with a repeated group overflows the stack on
  // megabytes.
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/=]|=[^=]|={3}/.test(text)) return undefined;
  return Buffer.from(text, "base64");
}
