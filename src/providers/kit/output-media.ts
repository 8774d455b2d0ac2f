import type { Media } from "../../gen/dragoman/v1/media_pb.js";

/** Maximum length of a `data:` URL before its comma, in characters. */
const longestHead = 512;

/** Returns the media of a URL in a response: the bytes of a `data:` URL (RFC 2397), else the URL. */
export function mediaOfUrl(url: string): Pick<Media, "source" | "mediaType"> {
  const comma = url.slice(0, longestHead).indexOf(",");
  const [, mediaType] = /^data:([^;,]+)[^,]*;base64$/i.exec(url.slice(0, Math.max(comma, 0))) ?? [];
  if (mediaType === undefined) return { source: { case: "url", value: url }, mediaType: "" };
  return { source: { case: "data", value: Buffer.from(url.slice(comma + 1), "base64") }, mediaType };
}

/** Decodes base64 that arrives in pieces of any length. Each piece can also be encoded by itself, with padding. */
export class Base64Pieces {
  #rest = "";

  /** Returns the bytes that are complete. */
  decode(piece: string): Uint8Array {
    const text = this.#rest + piece.replaceAll(/\s/g, "");
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    return Buffer.from(text.slice(0, whole), "base64");
  }

  /** Returns the bytes of base64 without padding at the end. */
  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = "";
    return Buffer.from(rest, "base64");
  }
}
