import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Media, MediaSchema } from "../../gen/dragoman/v1/message_pb.js";

/** Characters before the data of a `data:` URI. */
const longestHead = 512;

type Source = Pick<Exclude<MessageInitShape<typeof MediaSchema>, Media>, "source" | "mediaType">;

/**
 * Where the bytes of a medium come from, when an API gives its address: those of a `data:` URI in base64 (RFC 2397)
 * are taken out of it, so that providers without such addresses get them too. Any other address stays one.
 */
export function mediaSource(address: string): Source {
  const comma = address.indexOf(",");
  // Cut, since the expression takes the square of its length: media types and their parameters are short.
  const head = comma < 0 || comma > longestHead ? "" : address.slice(0, comma);
  const [, mediaType] = /^data:([^;,]+).*;base64$/i.exec(head) ?? [];
  const data = mediaType === undefined ? undefined : decodeBase64(address.slice(comma + 1));
  if (mediaType === undefined || data === undefined) return { source: { case: "url", value: address } };
  return { source: { case: "data", value: data }, mediaType };
}

/** The bytes of a base64 text (RFC 4648, section 4); undefined when it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  // No expression over the whole: those with a repetition at their heart overflow on megabytes.
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/=]|=[^=]|={3}/.test(text)) return undefined;
  return Buffer.from(text, "base64");
}
